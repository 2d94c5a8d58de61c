"""stub"""


def check_reach(draft, types):
    return None
