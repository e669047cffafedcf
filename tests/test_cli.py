"""The command line as its contract fixes it: output, exit status, and what it says to a wrong call."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app

ROOT = Path(__file__).parent.parent
LINE = (
    "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 "
    "flags SYN ACK on interface outside"
)


def _run(*words: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, list(words), input=stdin)


def test_a_line_gives_json_and_status_0() -> None:
    result = _run("diagnose", LINE, "--json", "--no-ask")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["records"][0]["event"] == "out-of-state"
    assert found["question"] is not None


def test_answers_on_the_command_line_count() -> None:
    result = _run("diagnose", LINE, "--json", "--answer", "handshake.syn_seen=no", "--answer", "timing.worked=never")
    found = json.loads(result.stdout)
    assert found["verdict"]["cause"] == "asymmetric-routing"
    assert {one["feature"]: one["kind"] for one in found["facts"]}["handshake.syn_seen"] == "told"


def test_commands_are_filled_with_the_addresses_of_the_line() -> None:
    found = json.loads(_run("diagnose", LINE, "--json", "--answer", "handshake.syn_seen=no").stdout)
    commands = " ".join(step["command"] or "" for step in found["steps"])
    assert "192.0.2.10" in commands
    assert "198.51.100.7" in commands


def test_what_cannot_be_read_is_status_3_and_says_why() -> None:
    result = _run("diagnose", "good morning", "--json")
    assert result.exit_code == 3
    found = json.loads(result.stdout)
    assert found["symptom"] is None
    assert found["hypotheses"] == []
    assert found["unread"] == [{"line": 1, "text": "good morning", "why": "no dialect recognises this line"}]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["diagnose", LINE, "--answer", "packet.flags"], "write FEATURE=VALUE"),
        (["diagnose", LINE, "--answer", "packet.flag=SA"], "did you mean 'packet.flags'"),
        (["diagnose", LINE, "--answer", "packet.flags=purple"], "allowed: SA (SYN+ACK"),
        (["diagnose", LINE, "--product", "abacus"], "unknown product 'abacus'"),
        (["diagnose", "x\n" * 20_001], "Filter it by the addresses"),
        (["read", "/no/such/file"], "No such file"),
        (["knowledge", "show", "nothing"], "no entry 'nothing'"),
        (["knowledge", "list", "stars"], "no kind 'stars'"),
    ],
)
def test_a_wrong_call_is_status_2_and_says_what_is_wrong(words: list[str], says: str) -> None:
    result = _run(*words)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.output


def test_without_a_terminal_the_diagnosis_is_printed_as_it_stands() -> None:
    result = _run("diagnose", "-", stdin=LINE)
    assert result.exit_code == 0
    for part in ("Understood", "Asymmetric routing", "Question 1", "As it stands", "Next steps"):
        assert part in result.stdout


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ('printf "1\\n" | whydrop diagnose "$LINE"', True),
        ('printf "1\\n" | whydrop diagnose --no-ask "$LINE"', False),
        ('printf "1\\n" | whydrop diagnose --json "$LINE"', False),
        ('whydrop diagnose "$LINE" </dev/null', False),
        ('whydrop diagnose "$LINE" <&-', False),
        ('printf %s "$LINE" | whydrop diagnose -', False),
    ],
)
def test_answers_that_are_piped_in_are_not_passed_over_in_silence(command: str, told: bool) -> None:
    done = _shell(command, LINE=LINE)
    assert done.returncode == 0
    assert (b"standard input was not read" in done.stderr) == told


def test_read_gives_one_object_a_line() -> None:
    result = _run("read", "--json", stdin=f"{LINE}\nnonsense here\n")
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert (first["line"], first["dialect"]) == (1, "cisco-asa")
    assert second == {"line": 2, "text": "nonsense here", "why": "no dialect recognises this line"}


def test_read_takes_a_file(tmp_path: Path) -> None:
    (tmp_path / "fw.log").write_text(LINE)
    assert "out-of-state" in _run("read", str(tmp_path / "fw.log")).stdout


@pytest.mark.parametrize("content", [b"\x00\xff\xfe\x80" * 50, LINE.encode("utf-16"), b"\xef\xbb\xbf" + LINE.encode()])
def test_any_encoding_gets_an_answer(content: bytes) -> None:
    result = _run("read", "--json", stdin=content)
    assert result.exit_code in (0, 3)
    assert (result.exit_code == 0) == (b"\x80" not in content)


def test_a_capture_is_no_paste() -> None:
    result = _run("diagnose", "-", stdin=b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00")
    assert result.exit_code == 2
    assert "`tshark -r FILE`" in result.stderr


def test_knowledge_check_is_clean_and_counts() -> None:
    result = _run("knowledge", "check")
    assert result.exit_code == 0
    assert "no problems" in result.stdout


def test_knowledge_coverage_leaves_nothing_open() -> None:
    result = _run("knowledge", "coverage")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].endswith("statements, none open")


def test_knowledge_shows_entries_of_every_kind() -> None:
    for id_ in ("asymmetric-routing", "packet.flags", "paloalto", "cisco-asa", "rfc9293", "push-means-data", "reset"):
        assert id_ in _run("knowledge", "show", id_).stdout


def test_knowledge_lists_everything_and_prints_its_schema() -> None:
    assert "port-closed" in _run("knowledge", "list").stdout
    assert "port-closed" not in _run("knowledge", "list", "features").stdout
    schema = json.loads(_run("knowledge", "schema").stdout)
    assert "points to" in schema["Cause"]["$defs"]["Clue"]["properties"]


def test_wrong_entries_of_a_site_are_told_with_file_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "causes").mkdir()
    (tmp_path / "causes" / "mine.yaml").write_text("title: Mine\nsymptoms: [reset]\nprior: sometimes\n")
    monkeypatch.setenv("WHYDROP_KNOWLEDGE", str(tmp_path))
    result = _run("diagnose", LINE)
    assert result.exit_code == 1
    assert "mine.yaml:3: 'prior'" in result.stderr


def test_it_really_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "diagnose", "--json", "--no-ask", b"Not a Valid SYN packet [A] \xff"],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["records"][0]["flags"] == ["ACK"]


def _shell(command: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run a shell's line in which `whydrop` is this one, wherever the checkout lies."""
    script = f'whydrop() {{ "$PYTHON_HERE" -m bot "$@"; }}; {command}'
    here = {**os.environ, **env, "PYTHON_HERE": sys.executable}
    return subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, timeout=60, check=False, env=here)


@pytest.mark.parametrize(
    ("command", "status", "says"),
    [
        ("whydrop diagnose - <&-", 2, b"no standard input"),
        ("whydrop read <&-", 2, b"no standard input"),
        ("whydrop knowledge list >/dev/full", 1, b"could not be written"),
        ("whydrop diagnose --json 'Not a Valid SYN packet [A]' >/dev/full", 1, b"could not be written"),
        ("whydrop read /dev/zero", 2, b"a line of more than"),
        ("whydrop serve --port 1 --host 203.0.113.1", 1, b"choose another with --port"),
    ],
)
def test_a_broken_environment_is_told_in_one_line(command: str, status: int, says: bytes) -> None:
    done = _shell(command)
    assert done.returncode == status
    assert says in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("WHYDROP_PORT", "abc", b"WHYDROP_PORT='abc'"),
        ("WHYDROP_THREADS", "0", b"WHYDROP_THREADS='0'"),
        ("WHYDROP_KNOWLEDGE", "/no/such/folder", b"does not exist"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, says: bytes) -> None:
    done = _shell("whydrop knowledge list features", **{name: value})
    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert b"Traceback" not in done.stderr


def test_empty_settings_are_unset() -> None:
    empty = dict.fromkeys(("WHYDROP_HOST", "WHYDROP_PORT", "WHYDROP_KNOWLEDGE", "WHYDROP_SLACK_SIGNING_SECRET"), "")
    done = _shell("\"$PYTHON_HERE\" -c 'from bot.settings import *; print(load_settings())'", **empty)
    assert b"host='127.0.0.1' port=8000 knowledge=None" in done.stdout
    assert b"slack_signing_secret=None" in done.stdout


def test_an_output_that_is_not_utf_8_gets_an_answer() -> None:
    done = _shell("whydrop diagnose --no-ask 'Not a Valid SYN packet [A]'", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert b"Next steps" in done.stdout


def test_a_closed_pipe_is_no_traceback() -> None:
    done = _shell("whydrop knowledge list | head -n 1")
    assert done.stdout == b"causes\n"
    assert b"Traceback" not in done.stderr


def test_a_compressed_file_is_named_as_one(tmp_path: Path) -> None:
    file = tmp_path / "fw.log.gz"
    file.write_bytes(gzip.compress(b"anything"))
    result = _run("read", str(file))
    assert (result.exit_code, "unpack it first" in result.output) == (2, True)


def test_the_name_of_a_file_is_not_taken_for_a_line(tmp_path: Path) -> None:
    file = tmp_path / "fw.log"
    file.write_text("x", encoding="utf-8")
    result = _run("diagnose", str(file))
    assert (result.exit_code, f"diagnose - < {file}" in " ".join(result.output.split())) == (2, True)
