"""What reads like a matter for hr, and what only sounds like one."""

import time

import pytest

from tickets_service.screening import is_suspicious

PERSONAL = [
    "My salary was not paid this month",
    "Salary not paid in October",
    "Payroll has paid me too little",
    "Wrong payslip for March",
    "I haven't been paid since June",
    "The portal shows my salary to everyone",
    "Question about parental leave",
    "I need sick leave next week",
    "Leave request for August: I would like to take my holidays",
    "My manager denied my vacation",
    "I want to report sexual harassment",
    "Harassment by a colleague",
    "I feel bullied by my team leader",
    "My boss treats me badly and I want to file a complaint",
    "Complaint about a colleague",
    "Inappropriate remarks in the team meeting",
    "She yells at me in front of customers",
    "Code of conduct violation by a coworker",
    "Discriminated against because of my age",
    "Unfair dismissal",
    "He was fired for being ill",
    "Question on my notice period",
    "I am pregnant, whom do I tell?",
]
TECHNICAL = [
    "payroll-service returns 500",
    "Payroll service down",
    "payroll batch job fails",
    "my payroll deployment fails",
    "memory leave in worker",
    "employee API is slow",
    "GET /employees/leave times out",
    "LeaveRequest API responds 500",
    "leave request form returns 404",
    "My leave page crashes",
    "Cannot leave the page without saving",
    "Leave group in the consumer takes 30 s",
    "Add salary column to employees table",
    "Payslip PDF generation throws exception",
    "The event is fired twice when I click",
    "I am sick of this flaky test",
    "We conduct load tests every night",
    "compensation transaction in the saga",
    "promotion of the build to production fails",
    "The manager process crashed",
    "HR portal login fails",
    "Contract test broken",
    "Connection terminated by peer",
    "pay button does nothing",
    "customer complaint: checkout is slow",
    "I cannot log in",
    "My password expired",
]


@pytest.mark.parametrize("text", PERSONAL)
def test_matters_between_people_are_suspected_in_title_and_message(text: str) -> None:
    assert is_suspicious(text, "")
    assert is_suspicious("Hello", f"Good morning.\nI have a question.\n{text}\nThanks")


@pytest.mark.parametrize("text", TECHNICAL)
def test_names_of_software_are_not(text: str) -> None:
    assert not is_suspicious(text, "")
    assert not is_suspicious("Hello", f"Since this morning, see the log.\n{text}\nThanks")


def test_one_sentence_decides_whatever_stands_around_it() -> None:
    noise = "The checkout returns 502 since the deployment of version 2.3.\n" * 100

    assert not is_suspicious("Checkout is down", noise)
    assert is_suspicious("Checkout is down", f"{noise}By the way, my manager insulted me again.\n{noise}")


@pytest.mark.parametrize(
    "hostile", ["a" * 20_000, "A" * 20_000, "a1" * 10_000, f"{'a' * 10_000}.{'a' * 9_999}", "complain" + "n" * 19_992]
)
def test_time_does_not_grow_with_the_square_of_a_long_word(hostile: str) -> None:
    started = time.process_time()

    is_suspicious("Hello", hostile)

    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "name", ["pay_run", "see /leave", "Leave.create(", "leave()", "leaveRequest", "LeaveX", "`hr`"]
)
def test_forms_that_only_machines_have_speak_against_a_topic(name: str) -> None:
    assert not is_suspicious(f"I asked for overtime with {name}", "")
    assert is_suspicious("I asked for overtime with them", "")
