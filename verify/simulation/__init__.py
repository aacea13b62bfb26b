"""A simulated office, to measure what a consensus costs and how right it is before real people vote.

Its posts, voters and classifier are drawn (`office`); the same votes are weighed, served, fitted and muted by
the very rules that the portal follows, or by a simpler policy (`policies`, `serving`, `play`). Nothing here
knows Django.
"""

from collections.abc import Callable

from verify.consensus import Rule
from verify.simulation.figures import Believed, Bin, Figures, Outcome, outcome
from verify.simulation.office import Office, World
from verify.simulation.play import Campaign
from verify.simulation.policies import Policy, policies

__all__ = ["Believed", "Bin", "Figures", "Office", "Outcome", "Policy", "World", "policies", "simulate"]


def simulate(
    office: Office,
    world: World,
    policy: Policy,
    rule: Rule,
    order: str | None = None,
    seed: int = 0,
    progress: Callable[[float], None] = lambda share: None,
) -> Outcome:
    """Play ``policy`` in ``office``; without ``order``, in the serving order that belongs to it.

    ``progress`` is told the share of the posts that are settled. The same arguments give the same outcome.
    """
    campaign = Campaign(office, world, policy, rule, order or policy.order, seed)
    campaign.play(progress)
    return outcome(campaign)
