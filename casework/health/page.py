"""The report as one HTML file that needs nothing else: text, tables, and charts drawn in it."""

from collections.abc import Mapping
from html import escape
from typing import Final

from markdown_it import MarkdownIt

from casework.health.report import Health, sections

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#1d1f23;background:#fff}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;display:block;"
    "overflow-x:auto}th,td{padding:.25rem .6rem;border-bottom:1px solid #d9dbe0;text-align:left}"
    "figure{margin:0}figure svg{max-width:100%;height:auto}code{font-size:.85em}"
    "@media print{h2{break-after:avoid}table{font-size:11px}}"
)


def html(health: Health, charts: Mapping[str, str]) -> str:
    """The report with its charts as one page: no script, nothing fetched, tables beside charts."""
    title = f"Health of the work, {health.at:%Y-%m-%d %H:%M} UTC"
    body = [f"<h1>{escape(title)}</h1>"]
    for section in sections(health):
        body.append(f"<section><h2>{escape(section.title)}</h2>")
        if section.chart in charts:
            label = f"{section.title} by day; the table below says the same"
            drawn = charts[section.chart]
            body.append(f'<figure role="img" aria-label="{escape(label)}">{drawn}</figure>')
        body.append(as_html("\n".join(section.lines)) + "</section>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def as_html(text: str) -> str:
    """Markdown of the report as HTML; HTML in it is shown, not taken."""
    rendered: str = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    return (
        rendered.replace("<th>", '<th scope="col">')
        .replace('<th style="text-align:right">', '<th scope="col">')
        .replace('<td style="text-align:right">', "<td>")
    )
