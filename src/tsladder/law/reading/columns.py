"""The roles of a table's columns: the names that a role may have, and the choices of `--columns`."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tsladder.errors import BadInput
from tsladder.law.reading.numbers import is_missing
from tsladder.law.reading.sheet import Sheet
from tsladder.vocabulary import RANK_ERROR

NEEDED = ("n_params", "loss")
OPTIONAL = ("n_data", "compute", "group", "seed", "se")
ROLES = (*NEEDED, *OPTIONAL)
ANY_LOSS = "loss"
"""Name of the loss of a table that does not say which it is."""

COUNTS = ("n_params", "n_data", "compute")
"""Roles whose numbers may have a unit, such as 1.3B."""

# Names without case, spaces, signs and a unit.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "n_params": ("nparams", "n", "params", "param", "parameters", "nparameters", "numparams", "numparameters",
                 "paramcount", "parametercount", "modelparams", "modelsize", "totalparams"),
    "loss": ("loss", "valloss", "validationloss", "validloss", "devloss", "testloss", "evalloss", "heldoutloss",
             "finalloss", "meanloss", "lmloss", "logloss", "celoss", "crossentropy", "crossentropyloss", "nll",
             "trainloss", "trainingloss", "finaltrainloss", "finalvalloss"),
    "n_data": ("ndata", "d", "tokens", "ntokens", "numtokens", "traintokens", "trainingtokens", "tokenstrained",
               "totaltokens", "datasetsize", "datasize", "nsamples", "numsamples", "trainingsamples"),
    "compute": ("compute", "c", "flops", "flop", "nflops", "totalflops", "trainflops", "trainingflops", "trainingflop",
                "traincompute", "trainingcompute"),
    "group": ("group",),
    "seed": ("seed", "randomseed", "rngseed", "trainseed", "trainingseed", "replicate", "repeat"),
    "se": ("se", "stderr", "stderror", "standarderror", "sem", "lossse", "lossstderr", "losssem"),
}  # fmt: skip
_RANK_ICS = ("rankic", "meanrankic", "valrankic", "validationrankic", "testrankic")
_RANK_ERRORS = ("rankerror", "meanrankerror", "valrankerror", "validationrankerror", "testrankerror")
_ROLE_OF = {name: role for role, names in _NAMES.items() for name in names}
_ROLE_OF |= dict.fromkeys((*_RANK_ICS, *_RANK_ERRORS), "loss")
_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9,
           "t": 1e12, "tn": 1e12, "trillion": 1e12}  # fmt: skip
_NO_UNIT = frozenset(
    (
        *("n", "d", "c", "#", "in", "of", "non", "total", "count", "number", "embedding", "embeddings"),
        *("params", "param", "parameters", "tokens", "token", "samples", "windows", "examples", "flop", "flops"),
    )
)
_BRACKETED = re.compile(r"(.*?)\s*[(\[](.*?)[)\]]\s*")
_SUFFIXED = re.compile(r"(.+?)[\s_-]+([A-Za-z]+)")
_HORIZON = "horizon"
"""Column that serves as the group where there is none, as in the scaling.csv of a study."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """The columns of a table by role. `places`: role -> index of its column. `scales`: role -> factor of a heading's
    unit, such as "params (M)". `left_out`: roles that `--columns ROLE=` leaves out. `rank_ic`: the column of the loss
    holds RankICs, and the loss is 1 - RankIC; `rank_error`: it holds that loss itself."""

    places: Mapping[str, int]
    scales: Mapping[str, float] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    rank_ic: bool = False
    rank_error: bool = False

    @property
    def metric(self) -> str:
        """Name of the loss: of a ranking, or of any other forecast."""
        return RANK_ERROR if self.rank_ic or self.rank_error else ANY_LOSS


def parse_columns(texts: Sequence[str]) -> dict[str, str]:
    """Parse `n_params=N,n_data=D` into role -> column; an empty column leaves the role out. Raises BadInput."""
    chosen: dict[str, str] = {}
    faults = []
    for text in texts:
        for part in re.split(r",(?=\s*\w+\s*=)", text):
            role, equals, name = (word.strip() for word in part.partition("="))
            if not equals or role not in ROLES:
                near = difflib.get_close_matches(role, ROLES, n=1)
                hint = f" (did you mean {near[0]}?)" if near and equals else ""
                faults.append(f"{part.strip()!r} is no ROLE=COLUMN with one of {', '.join(ROLES)}{hint}")
            elif role in chosen:
                faults.append(f"{role} is given twice, as {chosen[role]!r} and {name!r}")
            elif role in NEEDED and not name:
                faults.append(f"{role} cannot be left out")
            else:
                chosen[role] = name
    named = [name for name in chosen.values() if name]
    faults += [f"the column {name!r} is given to two roles" for name in dict.fromkeys(named) if named.count(name) > 1]
    if chosen.get("n_data") and chosen.get("compute"):
        faults.append("n_data follows from compute: give one of the two")
    if faults:
        raise BadInput("--columns takes, for example, n_params=N,n_data=D,loss=val (n_data= leaves data out):", faults)
    return chosen


def role_of(name: str) -> tuple[str, float | None] | None:
    """Return the role of a heading and the factor of its unit (None: an unknown unit); None for a heading without a
    role.

    "params (M)" and "tokens_B" have units; a bracket behind any other heading is a remark.
    """
    bracket = _BRACKETED.fullmatch(name)
    role = _ROLE_OF.get(_bare(bracket[1] if bracket else name))
    if role is not None:
        return role, _scale(bracket[2]) if bracket and role in COUNTS else 1.0
    suffix = _SUFFIXED.fullmatch(name.strip())
    if suffix is not None and (role := _ROLE_OF.get(_bare(suffix[1]))) in COUNTS and role is not None:
        scale = _scale(suffix[2])
        return (role, scale) if scale not in (None, 1.0) else None
    return None


def count_known(names: Sequence[str], chosen: Mapping[str, str]) -> int:
    """Count the different roles that a header names, and its columns that `--columns` chooses."""
    wanted = {name.casefold() for name in chosen.values() if name}
    roles = {found[0] for name in names if (found := role_of(name)) is not None}
    return len(roles) + sum(name.strip().casefold() in wanted for name in names)


def find_columns(sheet: Sheet, chosen: Mapping[str, str], ignored: Sequence[str]) -> Columns:
    """Find the column of every role that the table has.

    Raises BadInput with every fault: a needed role without a column, a role with several, a name in `--columns` that
    the table lacks. A column without a value counts only where no other does and the role is needed. Columns with equal
    cells are one.
    """
    places: dict[str, int] = {}
    faults = []
    for role, name in chosen.items():
        if name:
            found = _named(sheet, name)
            if isinstance(found, str):
                faults.append(f"--columns {role}={name}: {found}")
            else:
                places[role] = found
    skipped = {name.casefold() for name in ignored}
    free = [
        place
        for place, name in enumerate(sheet.header)
        if place not in places.values() and name.casefold() not in skipped
    ]
    scales: dict[str, float] = {}
    for role in ROLES:
        data_are_settled = "n_data" in places or "compute" in places or chosen.get("n_data") == ""
        if role in chosen or (role in ("n_data", "compute") and data_are_settled):
            continue
        candidates = [place for place in free if (known := role_of(sheet.header[place])) and known[0] == role]
        if role == "group" and not candidates:
            candidates = [place for place in free if sheet.header[place].casefold() == _HORIZON]
        if role == "loss":
            # Beside a loss, a RankIC is another figure of the same runs.
            candidates = [place for place in candidates if not _is_of_a_ranking(sheet.header[place])] or candidates
        filled = [place for place in candidates if _is_filled(sheet, place)]
        candidates = filled or (candidates[:1] if role in NEEDED else [])
        if len(candidates) > 1 and any(sheet.column(place) != sheet.column(candidates[0]) for place in candidates[1:]):
            faults.append(_ambiguous(sheet, role, candidates))
        elif candidates:
            places[role] = candidates[0]
        elif role in NEEDED:
            faults.append(
                f"the column {role} is missing; the table has: {sheet.has}. If one of them is it: --columns {role}=NAME"
            )
    for role, place in places.items():
        known = role_of(sheet.header[place])
        if role not in COUNTS or known is None or known[0] != role:
            continue
        if known[1] is not None:
            scales[role] = known[1]
        elif role not in chosen:
            name = sheet.header[place]
            faults.append(
                f"{role} is in {name!r}, and that unit is not known: rename it to a unit like (M), or take its numbers "
                f"as they are by --columns '{role}={name}'"
            )
    if faults:
        raise BadInput(f"the columns of {sheet.source} cannot all be told:", faults)
    left_out = tuple(role for role, name in chosen.items() if not name)
    loss = _bare_of_remark(sheet.header[places["loss"]])
    return Columns(
        places=places,
        scales={role: scale for role, scale in scales.items() if scale != 1.0},
        left_out=left_out,
        rank_ic=loss in _RANK_ICS,
        rank_error=loss in _RANK_ERRORS,
    )


def nearest(name: str, names: Sequence[str]) -> str:
    """Return a question that suggests the most similar name; "" where none is similar."""
    close = difflib.get_close_matches(name.casefold(), [other.casefold() for other in names], n=1)
    return next((f"; did you mean {other!r}?" for other in names if close and other.casefold() == close[0]), "")


def _named(sheet: Sheet, name: str) -> int | str:
    """Return the index of the column called `name`, or a message that says what is wrong."""
    exact = [place for place, other in enumerate(sheet.header) if other == name]
    found = exact or [place for place, other in enumerate(sheet.header) if other.casefold() == name.casefold()]
    if not found:
        return f"there is no such column{nearest(name, sheet.header)}; the table has: {sheet.has}"
    if len(found) > 1:
        return "the table has that column twice; rename one"
    return found[0]


def _ambiguous(sheet: Sheet, role: str, candidates: Sequence[int]) -> str:
    names = [sheet.header[place] for place in candidates]
    if len(set(names)) < len(names):
        return (
            f"the column {names[0]} is there twice ({', '.join(names)}): which one counts cannot be known; rename one"
        )
    ways = " or ".join(f"--columns {role}={name}" for name in names)
    return f"{_listed(names)} could each be {role}: say which by {ways}"


def _listed(names: Sequence[str]) -> str:
    quoted = [repr(name) for name in names]
    return ", ".join(quoted[:-1]) + f" and {quoted[-1]}"


def _is_of_a_ranking(heading: str) -> bool:
    return _bare_of_remark(heading) in (*_RANK_ICS, *_RANK_ERRORS)


def _bare_of_remark(heading: str) -> str:
    bracket = _BRACKETED.fullmatch(heading)
    return _bare(bracket[1] if bracket else heading)


def _is_filled(sheet: Sheet, place: int) -> bool:
    return any(not is_missing(cell) for cell in sheet.column(place))


def _bare(name: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKC", name).casefold() if letter.isalnum())


def _scale(unit: str) -> float | None:
    """Return the factor of a unit such as "M", "billions of tokens" or "1e9"; 1 for words without a unit, None for an
    unknown one."""
    scale = 1.0
    for word in re.split(r"[\s,/_-]+", unit.strip().casefold().lstrip("x×")):
        if word in _NO_UNIT or not word:
            continue
        known = _SCALES.get(word, _SCALES.get(word.removesuffix("s")))
        if known is None:
            try:
                known = float(word)
            except ValueError:
                return None
        if scale != 1.0 or not 1.0 < known < 1e30:
            return None
        scale = known
    return scale
