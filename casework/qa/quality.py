"""Error rates over several rounds: each is a sample of its own population, and they add up."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from casework.qa.estimates import CONFIDENCE, Estimate
from casework.qa.report import Looked, Round
from casework.qa.weighted import Unit, weighted_rate


@dataclass(frozen=True, slots=True)
class Pool:
    """The settled decisions of some rounds, each with its stratum, and the strata's sizes."""

    settled: tuple[tuple[Hashable, Looked], ...]
    sizes: Mapping[Hashable, int]

    def units(
        self, hit: Callable[[Looked], bool], counts: Callable[[Looked], bool]
    ) -> Iterator[Unit]:
        """The decisions as units, those that do not count too: they share their strata."""
        for stratum, each in self.settled:
            yield Unit(stratum, hit(each), counts(each))

    def error_rate(
        self,
        counts: Callable[[Looked], bool],
        *,
        population: str = "",
        confidence: float = CONFIDENCE,
    ) -> Estimate:
        """The weighted error rate among decisions that count, as in a round's report."""
        units = self.units(lambda each: each.error is not None, counts)
        return weighted_rate(units, self.sizes, population=population, confidence=confidence)


def pool(rounds: Iterable[Round]) -> Pool:
    """Put rounds together; a stratum of one round is another than that of the next."""
    settled: list[tuple[Hashable, Looked]] = []
    sizes: dict[Hashable, int] = {}
    for number, found in enumerate(rounds):
        sizes |= {(number, key): size for key, size in found.sizes.items()}
        settled += [((number, each.stratum), each) for each in found.settled()]
    return Pool(tuple(settled), sizes)
