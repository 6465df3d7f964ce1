"""Whether a ticket reads like a matter between people and their employer: asked at creation, before anybody sees it.

Payroll, leave, sickness, conduct and dismissal are also names of software, so words alone do not count: it takes words
that nobody uses of a program, or such a topic beside a person and away from anything technical. Pure; wrong on the side
of hr now and then, since a look costs less than a secret.
"""

import re

_PERSON = (
    r"(?:manager|boss|supervisor|team[ ]?lead(?:er)?|colleagues?|co-?workers?|director|employees?|staff|teammates?)"
)
_SOMEBODY = rf"(?:me|him|her|them|us|my|our|a|the|another|women|men|people|{_PERSON})"
_PROGRAM = (
    r"apis?|apps?|applications?|backend|batch|branch|builds?|buttons?|cache|charts?|class|clients?|cluster"
    r"|code(?! of conduct)|columns?|components?|containers?|controller|cron|csv|dashboards?|databases?|db"
    r"|deploy\w*|docs?|endpoints?|exporter|exports?|fields?|(?<!to )files?|forms?|frontend|functions?"
    r"|generat(?:or|ion)|images?|import(?:er|s)?|index|integrations?|interface|jobs?|json|librar(?:y|ies)"
    r"|links?|logs?|methods?|micro-?services?|migrations?|models?|modules?|nodes?|packages?|pages?|parser"
    r"|pdfs?|pipelines?|plugins?|pods?|portal|processors?|quer(?:y|ies)|queues?|repos?(?:itory)?|routes?"
    r"|schema|screens?|scripts?|sdk|servers?|services?|sheets?|sites?|software|sql|sync|systems?|tables?"
    r"|templates?|tests?|tools?|topics?|ui|urls?|views?|webhooks?|websites?|widgets?|workers?|workflows?"
    r"|xml"
)
_SYMPTOM = (
    r"bugs?|cpu|crash\w*|clicks?|clicking|errors?|events?|exceptions?|fails?|failing|http\w*|latency"
    r"|leaks?|login|memory|null|outage|regression|returns?|stack ?trace|threads?|time-?outs?|timed out"
    r"|upgrade|[45]\d\d|[45]xx"
)
# Of the form that only machines have: payroll-service, pay_run, /leave/new, Leave.create(), LeaveRequest.
# Each alternative begins at most once in a run of letters, else a long run would cost the square of its length.
_IDENTIFIER = r"\w_\w|(?:^|\s)/\w|\w\.\w++\(|\w\(\)|[a-z][^\Wa-zA-Z]*+[A-Z]|`"
_TECHNICAL = re.compile(rf"\b(?:{_PROGRAM}|{_SYMPTOM})\b", re.IGNORECASE)
_CODE = re.compile(_IDENTIFIER)
_LEAVE = (
    r"(?:sick|maternity|paternity|parental|medical|annual|unpaid|family|bereavement|compassionate|study|paid)[ ]leave"
)

# What is said of people alone. A name of software made of it, such as "my leave page", is none of it.
_CERTAIN = re.compile(
    rf"""\b(?:
      sexual(?:ly)?\s+(?:harass\w*|assault\w*|abus\w*)
    | harass(?:ed|es|ing)\s+{_SOMEBODY}
    | (?:been|being|was|were|am|is|feel)\s+(?:sexually\s+)?(?:harassed|bullied|mobbed)
    | harassment\s+(?:by|from|at\s+work|in\s+the\s+(?:office|team|workplace))
    | bull(?:ies|ied|ying)\s+{_SOMEBODY} | hostile\s+work\w* | toxic\s+{_PERSON}
    | discriminat(?:ed|es|ing)\s+against\s+{_SOMEBODY}
    | discriminat(?:ed|ion)\s+(?:against\s+)?(?:because|at\s+work|by\s+{_SOMEBODY})
    | (?:racist|sexist|homophobic)\s+(?:remarks?|jokes?|comments?|behaviou?r|insults?|{_PERSON})
    | (?:unfair|wrongful|unlawful)(?:ly)?\s+(?:dismiss\w*|terminat\w*|fired|treat\w*)
    | (?:i|he|she|they|we|{_PERSON})\s+(?:was|were|am|got|have\s+been|has\s+been)
      \s+(?:fired|dismissed|laid\s+off|suspended)
    | (?:fire|dismiss|lay\s+off)\s+(?:me|him|her|an?\s+{_PERSON}|my\s+{_PERSON})
    | {_LEAVE} | leave\s+of\s+absence | (?:on|my|his|her|their)\s+leave
    | days?\s+of\s+leave | leave\s+(?:days|balance|entitlement)
    | sick\s+(?:notes?|days?|pay) | (?:on|called\s+in|reported)\s+sick | doctor'?s\s+(?:note|certificate)
    | (?:my|his|her|their)\s+(?:salary|salaries|wages?|pay|pay\s?checks?|pay\s?slips?|bonus|overtime|severance|pension
        |compensation|vacation|illness|pregnancy|disability|diagnosis|resignation|dismissal|termination|conduct
        |misconduct|harassment|mental\s+health|health)
    | (?:pay|salary)\s+(?:raise|cut|rise|increase|review|negotiation|gap)
    | under-?paid | unpaid\s+(?:overtime|wages|salary)
    | (?:have|has|was|were|did)(?:\s+not|n't)\s+(?:yet\s+)?(?:been\s+paid|get\s+paid|paid)
    | notice\s+period | (?:employment|work)\s+contract | disciplinary\s+\w+
    | letter\s+of\s+resignation | resignation\s+letter
    | (?:behaviou?r|conduct|misconduct)\s+(?:of|by|from)\s+(?:\w+\s+)?{_PERSON}
    | (?:complaint|complain\w*|grievance|accusations?)\s+(?:about|against|of)\s+(?:\w+\s+)?{_PERSON}
    | (?:inappropriate|offensive|abusive|sexual|aggressive)
      \s+(?:behaviou?r|comments?|remarks?|touch\w*|advances|jokes?|conduct)
    | (?:insult|threaten|humiliat|intimidat|grop|touch|assault|belittl|mobb)(?:s|es|ed|ing|e[ds])
      \s+(?:me|him|her|us|my\s+{_PERSON})
    | (?:yell|shout|scream|swear)(?:s|ed|ing)?\s+at\s+(?:me|him|her|us|{_PERSON})
    | (?:drunk|drugs)\s+at\s+work | burn(?:ed|t)?[-\s]?out
    | (?:i\s+am|is|am|are)\s+pregnant | human\s+resources | works?\s+council
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_FOLLOWED_BY_PROGRAM = re.compile(rf"(?:['\u2019]s)?[\s-]+(?:\w+[\s-]+)?(?:{_PROGRAM})\b", re.IGNORECASE)
# Grave enough alone, where nothing technical stands beside it.
_GRAVE = re.compile(
    r"\b(?:"
    r"harassment|discrimination|bullying|mobbing|misconduct|grievance|pay ?slips?|salary|salaries|wages"
    r"|sexism|racism"
    r")\b",
    re.IGNORECASE,
)
_TOPIC = re.compile(
    r"\b(?:"
    r"payroll|salary|salaries|wages?|bonus|overtime|vacation|holidays?|sick(?! of)|sickness|illness"
    r"|maternity|paternity|leave (?:request|application|approval)|dismissal|resign(?:ed|ation)?|promotion"
    r"|compensation|code of conduct|hr|complaint|complain(?:ed|s)?|gossip|insulted|abused?|affair"
    r")\b",
    re.IGNORECASE,
)
_SOMEONE = re.compile(rf"\b(?:i|me|my|mine|he|she|him|his|her|{_PERSON})\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")


def is_suspicious(title: str, description: str) -> bool:
    """Whether title or description reads like a matter for hr."""
    return any(_is_personal(sentence) for text in (title, description) for sentence in _SENTENCE.split(text))


def _is_personal(sentence: str) -> bool:
    for match in _CERTAIN.finditer(sentence):
        if not _FOLLOWED_BY_PROGRAM.match(sentence, match.end()):
            return True
    if _TECHNICAL.search(sentence) or _CODE.search(sentence):
        return False
    return bool(_GRAVE.search(sentence) or (_TOPIC.search(sentence) and _SOMEONE.search(sentence)))
