"""What `--help` says is true: every example parses, every command has some, and a typo is answered with a name."""

from __future__ import annotations

import shlex

import pytest

from tsladder.cli import COMMANDS as VERBS
from tsladder.cli import main
from tsladder.console.arguments import build_parser
from tsladder.console.examples import EXAMPLES, OVERVIEW

COMMANDS = tuple(build_parser().commands)
LINES = [line for examples in EXAMPLES.values() for line, _ in examples]
OVERVIEW_LINES = [line for line, _ in OVERVIEW]


def words_of(line: str) -> list[str]:
    """The arguments, without what the shell does with the output."""
    words = shlex.split(line)
    return words[1 : words.index(">") if ">" in words else None]


@pytest.mark.parametrize("line", [*LINES, *OVERVIEW_LINES])
def test_every_example_parses(line: str) -> None:
    assert line.startswith("tsladder ")
    words = words_of(line)
    options = build_parser().parse_args(words)
    assert options.command == words[0]


def test_whatever_can_be_typed_is_done() -> None:
    assert set(VERBS) == set(COMMANDS)


def test_the_overview_has_examples() -> None:
    assert len(OVERVIEW_LINES) >= 9
    assert {words_of(line)[0] for line in OVERVIEW_LINES} <= set(COMMANDS)


def test_every_command_has_an_example_of_its_own_and_no_other_has() -> None:
    assert set(EXAMPLES) == set(COMMANDS)
    for name, examples in EXAMPLES.items():
        assert {words_of(line)[0] for line, _ in examples} == {name}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_the_examples_and_every_option_within_a_terminals_width(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    for line, what in EXAMPLES[command]:
        assert line in out
        assert what in out
    assert max(len(line) for line in out.splitlines()) <= 130


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (["sttus"], "status"),
        (["reprot", "--from", "x.zip"], "report"),
        (["exprt"], "export"),
        (["status", "--jsn"], "--json"),
        (["plan", "--bugdet=2M"], "--budget"),
        (["fit", "p.csv", "--huber_delta", "1"], "--huber-delta"),
    ],
)
def test_the_nearest_name_answers_a_typo(typed: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(typed)
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"did you mean {named}?" in err


def test_a_word_that_is_near_nothing_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["xyzzy"])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert "did you mean" not in err
    assert all(command in err for command in COMMANDS)


@pytest.mark.parametrize("typed", [[], ["completion", "fish2"], ["ui", "--port", "x"], ["fit"]])
def test_other_faults_keep_argparses_words(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(typed)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err
