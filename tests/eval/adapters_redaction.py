"""The product's redaction as plain functions over lists of texts, in the form that span scorers use."""

from chassis.redaction import Kind, Redactor

LABELS = {
    Kind.EMAIL: "EMAIL_ADDRESS",
    Kind.IP: "IP_ADDRESS",
    Kind.HOST: "HOST",
    Kind.PHONE: "PHONE_NUMBER",
    Kind.CARD: "CREDIT_CARD",
    Kind.IBAN: "IBAN_CODE",
    Kind.SSN: "US_SSN",
    Kind.URL: "URL",
    Kind.USER: "USERNAME",
}


def redact(texts: list[str]) -> list[list[tuple[int, int, str]]]:
    """Return the spans that log redaction takes out of each text."""
    return _spans(Redactor(), texts)


def redact_prose(texts: list[str]) -> list[list[tuple[int, int, str]]]:
    """Return the spans that redaction takes out of text that people wrote, where web addresses go too."""
    return _spans(Redactor(web_addresses=True), texts)


def _spans(redactor: Redactor, texts: list[str]) -> list[list[tuple[int, int, str]]]:
    return [[(f.start, f.end, LABELS.get(f.kind, "SECRET")) for f in redactor.find(text)] for text in texts]
