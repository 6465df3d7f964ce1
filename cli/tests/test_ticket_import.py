import json
from pathlib import Path
from typing import Any

import pytest
from cli.tests.conftest import Gateway
from typer.testing import CliRunner

from aiops_cli import sending
from aiops_cli.app import app
from aiops_cli.failure import ExitCode, Failure

CSV = """Title,Message,Priority,external_reference
first,a,high,1
,no title,high,2
second,b,soon,3
third,c,,4
third,c,,4
"""
OPTIONS = [{"kind": "PRIORITY", "key": "high", "name": "High", "archived": False}]


@pytest.fixture(autouse=True)
def machine(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOPS_TOKEN", "aiops_token")
    monkeypatch.setenv("AIOPS_URL", gateway.url)
    monkeypatch.setattr(sending, "PATIENCE_SECONDS", (0.0, 0.0))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tickets.csv"
    path.write_text(CSV)
    return path


def answer(**data: object) -> tuple[int, dict[str, Any]]:
    return 200, {"data": data}


def created(ticket_id: str) -> tuple[int, dict[str, Any]]:
    return answer(createTicket={"__typename": "CreateTicketSuccess", "ticket": {"id": ticket_id}})


def refused(code: str, message: str, path: str = "") -> tuple[int, dict[str, Any]]:
    fields = [{"path": path, "message": message}] if path else []
    error = {"__typename": "ValidationError", "code": code, "message": message, "fields": fields}
    return answer(createTicket=error)


def inputs(gateway: Gateway) -> list[dict[str, Any]]:
    sent = [json.loads(body)["variables"].get("input") for _, _, body in gateway.asked]
    return [each for each in sent if each]


def test_good_rows_are_sent_and_bad_ones_reported(
    runner: CliRunner, gateway: Gateway, file: Path, tmp_path: Path
) -> None:
    gateway.answers = [answer(ticketOptions=OPTIONS), created("t1"), created("t3")]
    report = tmp_path / "bad.csv"

    done = runner.invoke(app, ["tickets", "import", str(file), "--report", str(report)])

    assert done.exit_code == ExitCode.REFUSED
    assert [(each["title"], each.get("priority")) for each in inputs(gateway)] == [("first", "high"), ("third", None)]
    assert done.stdout.splitlines() == [
        "line 3  title: is empty; say in one line what it is about",
        "line 4  priority: soon is not declared here; there are: high",
        "1 row is left out, for an earlier one says the same: line 6 is as line 5",
        "2 of 5 rows are tickets now, those of an earlier run included. Next: aiops tickets list",
        f"2 rows are refused. Fix {report} and import it.",
    ]
    assert report.read_text().splitlines() == [
        "Title,Message,Priority,external_reference,error",
        ",no title,high,2,title: is empty; say in one line what it is about",
        "second,b,soon,3,priority: soon is not declared here; there are: high",
    ]


def test_a_dry_run_checks_everything_and_sends_nothing(runner: CliRunner, gateway: Gateway, file: Path) -> None:
    gateway.answers = [answer(ticketOptions=OPTIONS)]

    done = runner.invoke(app, ["tickets", "import", str(file), "--dry-run", "--json"])

    assert done.exit_code == ExitCode.REFUSED
    assert inputs(gateway) == []
    told = json.loads(done.stdout)
    assert (told["rows"], told["created"], told["repeated"]) == (5, [], [{"line": 6, "same_as_line": 5}])
    assert [each["line"] for each in told["refused"]] == [3, 4]


def test_a_dry_run_of_plain_rows_needs_no_server(
    runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIOPS_TOKEN")
    file = tmp_path / "plain.csv"
    file.write_text("title,message\na,b\n")

    done = runner.invoke(app, ["tickets", "import", str(file), "--dry-run"])

    assert (done.exit_code, done.stdout) == (0, "1 of 1 rows can be imported. Nothing was sent (--dry-run).\n")


def test_a_second_import_sends_the_keys_of_the_first(runner: CliRunner, gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "plain.csv"
    file.write_text("title,message\na,b\nc,d\n")
    gateway.answers = [created("t1"), created("t2"), created("t1"), created("t2")]

    runner.invoke(app, ["tickets", "import", str(file)])
    runner.invoke(app, ["tickets", "import", str(file)])

    keys = [each["idempotencyKey"] for each in inputs(gateway)]
    assert keys[:2] == keys[2:]
    assert len(set(keys)) == 2


def test_what_the_stack_refuses_stands_in_the_report_and_what_is_there_apart(
    runner: CliRunner, gateway: Gateway, tmp_path: Path
) -> None:
    file, report = tmp_path / "plain.csv", tmp_path / "bad.csv"
    file.write_text("title,message,reporter_name\na,b,\nc,d,Ann\ne,f,\n")
    gateway.answers = [
        refused("TICKET_REFERENCE_TAKEN", "there already"),
        refused("INVALID_ARGUMENT", "a name has a limit", "reporter.externalName"),
        created("t3"),
    ]

    done = runner.invoke(app, ["tickets", "import", str(file), "--report", str(report), "--json"])

    assert done.exit_code == ExitCode.REFUSED
    told = json.loads(done.stdout)
    assert told["already_there"] == [2]
    assert told["created"] == [{"line": 4, "id": "t3"}]
    problem = {"column": "reporter_name", "advice": "a name has a limit (INVALID_ARGUMENT)"}
    assert told["refused"] == [{"line": 3, "problems": [problem]}]
    assert report.read_text().splitlines()[1:] == ["c,d,Ann,reporter_name: a name has a limit (INVALID_ARGUMENT)"]


def test_a_stack_that_is_away_for_a_moment_is_waited_for(runner: CliRunner, gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "plain.csv"
    file.write_text("title,message\na,b\n")
    away = (
        200,
        {"data": {"createTicket": None}, "errors": [{"message": "away", "extensions": {"code": "UNAVAILABLE"}}]},
    )
    gateway.answers = [away, created("t1")]

    done = runner.invoke(app, ["tickets", "import", str(file)])

    assert done.exit_code == 0, done.output
    assert len({each["idempotencyKey"] for each in inputs(gateway)}) == 1


def test_a_stack_that_stays_away_ends_it_with_what_to_do(runner: CliRunner, gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "plain.csv"
    file.write_text("title,message\na,b\nc,d\n")
    away = (
        200,
        {"data": {"createTicket": None}, "errors": [{"message": "away", "extensions": {"code": "UNAVAILABLE"}}]},
    )
    gateway.answers = [created("t1"), away, away, away]

    done = runner.invoke(app, ["tickets", "import", str(file)])

    assert isinstance(done.exception, Failure)
    assert done.exception.code == ExitCode.UNREACHABLE
    assert done.exception.message == (
        "away. Stopped after 1 of 2 rows. Run the same command again: no row becomes a second ticket."
    )
    assert "1 of 2 rows are tickets now" in done.stdout


def test_ctrl_c_says_how_far_it_came(
    runner: CliRunner, gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "plain.csv"
    file.write_text("title,message\na,b\n")

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("aiops_cli.graph.Graph.mutate", interrupted)

    done = runner.invoke(app, ["tickets", "import", str(file)])

    assert isinstance(done.exception, Failure)
    assert (done.exception.code, done.exception.message) == (
        130,
        "Stopped after 0 of 1 rows. Run the same command again: no row becomes a second ticket.",
    )


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (b"", [], "The file is empty. Its first line names the columns: title,message"),
        (b"title,message\n\xff,x\n", [], "The file is not utf-8: line 2 holds other bytes."),
        (b"title,message\na,b\n", ["--encoding", "klingon"], "klingon is no encoding."),
        (b"title,message\na,b\n", ["--map", "title"], "--map title does not name two columns."),
        (b"a,b\nc,d\n", ["--map", "a=owner"], "There is no column owner to map to."),
    ],
)
def test_a_file_that_cannot_be_used_ends_it_before_anything_is_sent(
    runner: CliRunner, gateway: Gateway, tmp_path: Path, content: bytes, arguments: list[str], message: str
) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(content)

    done = runner.invoke(app, ["tickets", "import", str(file), *arguments])

    assert isinstance(done.exception, Failure)
    assert message in done.exception.message
    assert gateway.asked == []


def test_a_report_never_overwrites_the_file_itself(runner: CliRunner, gateway: Gateway, file: Path) -> None:
    done = runner.invoke(app, ["tickets", "import", str(file), "--report", str(file)])

    assert isinstance(done.exception, Failure)
    assert done.exception.code == ExitCode.USAGE
    assert file.read_text() == CSV
    assert gateway.asked == []


def test_a_report_is_a_file(runner: CliRunner, gateway: Gateway, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)

    done = runner.invoke(app, ["tickets", "import", str(file), "--report", "-"])

    assert isinstance(done.exception, Failure)
    assert done.exception.code == ExitCode.USAGE
    assert done.exception.message == "The report is a file to be fixed and imported. Name one: --report bad.csv"
    assert (gateway.asked, list(file.parent.glob("-"))) == ([], [])


def test_a_report_that_cannot_be_written_is_told_before_anything_is_sent(
    runner: CliRunner, gateway: Gateway, file: Path, tmp_path: Path
) -> None:
    gateway.answers = [answer(ticketOptions=OPTIONS), created("t1"), created("t3")]
    report = tmp_path / "missing" / "bad.csv"

    done = runner.invoke(app, ["tickets", "import", str(file), "--report", str(report)])

    assert isinstance(done.exception, Failure)
    assert done.exception.message == f"The report {report} cannot be written: No such file or directory."
    assert inputs(gateway) == []
