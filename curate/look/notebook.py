"""How a version and one of its problems show themselves: HTML in Jupyter, text elsewhere."""

from dataclasses import dataclass

from curate.look.overview import digest_line, funnel_table, views_table
from curate.look.page import fragment
from curate.look.panels import problem_panel
from curate.look.prose import brief, seen
from curate.look.rows import Shown, find_problem, shown
from curate.look.show import views
from curate.look.story import story
from curate.version import Version

MOST_ROLLOUTS = 64


@dataclass(frozen=True, repr=False)
class ProblemView:
    """One problem with its rollouts side by side. `.one.problem` and `.one.rollouts` are its rows."""

    version: Version
    one: Shown

    @property
    def id(self) -> str:
        """The problem's whole id."""
        return str(self.one.problem["id"])

    def _repr_html_(self) -> str:
        return fragment(problem_panel(self.one, "problem"))

    def __repr__(self) -> str:
        return seen(story([self.version], self.id))


def problem_view(version: Version, row: str) -> ProblemView:
    """The problem that an id, its beginning, a `source_id`, or one of its rollouts' ids names.

    Raises:
        VersionError: there is none, or several.
    """
    return ProblemView(version, shown(version, [find_problem(version, row)], MOST_ROLLOUTS)[0])


def version_html(version: Version) -> str:
    """The version at one glance: digest, funnel, views, how to go on."""
    view = (views(version) or ["problems"])[0]
    ways = [
        (f"v.{view}", "a lazy frame of a view; so are v.problems, v.rollouts, v.ledger"),
        ("v.problem(id)", "one problem with its rollouts side by side"),
        ("v.plot.pass_rate()", "also .lengths(), .funnel(), .domains(), .balance()"),
        (f"curate view {version.name}", "the same as pages, in a terminal"),
    ]
    listed = "".join(f"<li><code>{brief(code)}</code> {what}</li>" for code, what in ways)
    body = [
        f"<h1>{brief(version.name)}</h1>{digest_line(version)}",
        f'<p class="facts"><code>{brief(version.path)}</code></p>',
        f"<h2>Where the rows went</h2>{funnel_table(version, {})}",
        f"<h2>Views</h2>{views_table(version)}",
        f"<h2>How to go on</h2><ul>{listed}</ul>",
    ]
    return fragment("".join(body))
