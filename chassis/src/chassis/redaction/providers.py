"""Finds tokens of known services: by the form that the issuer gives them, or in a field named after the service."""

from collections.abc import Iterator

from chassis.redaction.matching import Kind, Rule, Span, group_spans, pattern
from chassis.redaction.randomness import entropy, is_opaque

_PROVIDER_FORMS = (
    # a prefix that occurs nowhere else, also glued to an escaped line end: `\nghp_…`
    rb"(?:(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,}"
    rb"|gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[A-Za-z0-9_.-]{16,}|GR1348941[A-Za-z0-9_-]{16,}"
    rb"|xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{10,}"
    rb"|(?:sk|rk|pk)_(?:live|test|prod)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/]{16,}|shippo_(?:live|test)_[a-fA-F0-9]{30,}"
    rb"|AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{16,}|GOCSPX-[A-Za-z0-9_-]{16,}"
    rb"|sk-(?:proj|ant|svcacct|admin|or|lf)-[A-Za-z0-9_-]{16,}"
    rb"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,3}|eyJ[A-Za-z0-9_+/-]{60,}={0,2}"
    rb"|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{32,}|rubygems_[a-f0-9]{40,}|dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}"
    rb"|api_org_[A-Za-z]{30,}|do[oprt]_v1_[a-f0-9]{40,}|dapi[a-f0-9]{32}(?:-[0-9])?|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"
    rb"|AT(?:ATT|CTT|BB)3?[A-Za-z0-9_=-]{20,}|hv[sbr]\.[A-Za-z0-9_-]{20,}|lin_(?:api|oauth)_[A-Za-z0-9]{20,}"
    rb"|ntn_[A-Za-z0-9]{30,}|gl(?:sa|c)_[A-Za-z0-9_+/=]{20,}|NR(?:AK|JS|AA|II|RA)-[A-Za-z0-9_-]{16,}"
    rb"|sntry[su]_[A-Za-z0-9_+/=]{20,}|pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{16,}|PMAK-[a-f0-9-]{40,}"
    rb"|AGE-SECRET-KEY-1[0-9A-Z]{50,}|sq0[a-z]{3}-[A-Za-z0-9_-]{20,}|EAAA[A-Za-z0-9_-]{22,}|figd_[A-Za-z0-9_-]{20,}"
    rb"|HRKU-[A-Za-z0-9_-]{20,}|CLOJARS_[a-z0-9]{40,}|AKID[A-Za-z0-9]{28,}|tvly-[A-Za-z0-9-]{20,}|pplx-[A-Za-z0-9]{30,}"
    rb"|co_api_[A-Za-z0-9]{20,}|tskey-[a-z]+-[A-Za-z0-9-]{16,}|ops_eyJ[A-Za-z0-9+/=_-]{20,}|xkeysib-[a-f0-9]{40,}(?:-[A-Za-z0-9]{16})?"
    rb"|sha256~[A-Za-z0-9_-]{40,}|rdme_[a-z0-9]{50,}|sgp_[A-Za-z0-9_]{40,}|API-[A-Z0-9]{26}\b"
    rb"|sm_[aps]at_[A-Za-z0-9]{16,}"
    rb"|tk-us-[A-Za-z0-9_-]{40,}|amzn\.mws\.[0-9a-f-]{30,}|cio[a-z0-9]{36,}|dt0c01\.[A-Za-z0-9]{20,}\.[A-Za-z0-9]{50,}"
    rb"|FLW(?:PUB|SEC)K_TEST-[A-Ha-h0-9-]{12,}(?:X\b)?|duffel_(?:live|test)_[A-Za-z0-9_=-]{40,}|EZ[AT]K[A-Za-z0-9]{50,}"
    rb"|AKCp[A-Za-z0-9]{60,}|cmVmd[A-Za-z0-9]{50,}|p8e-[A-Za-z0-9]{32}|ABSK[A-Za-z0-9+/]{60,}={0,2}"
    rb"|fm[12][ar]?_[A-Za-z0-9+/]{60,}"
    rb"|bedrock-api-key-[A-Za-z0-9]{20,}|fio-u-[A-Za-z0-9_=-]{40,}|dnkey-[A-Za-z0-9_=-]{26,}|tfp_[A-Za-z0-9_.=-]{40,}"
    rb"|[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk|pubkey-[a-f0-9]{32}|(?:live|test)_(?:pub_)?[a-f0-9]{35}"
    rb"|AstraCS:[A-Za-z0-9:]{30,}|FlyV1 [A-Za-z0-9_=,+/-]{20,}|phc_[A-Za-z0-9]{30,}"
    rb"|(?:sc|ext|scauth|authress)_[a-z0-9]{5,30}\.[a-z0-9]{4,6}\.(?:acc)[_-][a-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,}"
    rb"|fo1_[A-Za-z0-9_-]{40,}|A{20,}[A-Za-z0-9%]{60,}|_session=[A-Za-z0-9%._+/=-]{24,}|t1\.[A-Z0-9a-z_-]+={0,2}\.[A-Za-z0-9_-]{80,}={0,2}"
    # a prefix that other words may end in
    rb"|\b(?:A3T[A-Z0-9][A-Z0-9]{16}\b|1//0[A-Za-z0-9_-]{24,}|sk-[A-Za-z0-9]{20,}|SG\.[A-Za-z0-9_.=-]{32,}"
    rb"|(?:AC|SK)[0-9a-fA-F]{32}\b|key-[0-9a-f]{32}\b|[0-9a-f]{32}-us[0-9]{1,2}\b|hf_[A-Za-z]{30,}"
    rb"|[0-9]{8,10}:AA[A-Za-z0-9_-]{32,}"
    rb"|dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{20,}|pul-[a-f0-9]{40}|EAA[A-Za-z0-9]{60,}|sbp_[a-f0-9]{40}"
    rb"|pat[A-Za-z0-9]{14}\.[a-f0-9]{40,}|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{40,}|LTAI[A-Za-z0-9]{16,}"
    rb"|gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{36,}|flyo1_[A-Za-z0-9_-]{20,}|pnu_[A-Za-z0-9]{36}"
    rb"|ico-[A-Za-z0-9]{32}|s-s4t2(?:ud|af)-[a-f0-9]{64}|v1\.0-[a-f0-9]{24}-[a-f0-9]{60,}"
    rb"|pk\.[A-Za-z0-9]{60}\.[A-Za-z0-9]{22}"
    rb"|sl\.[A-Za-z0-9_=-]{60,}|[ps]at\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9.]{24,}|s\.[A-Za-z0-9]{24}\b"
    rb"|[0-9]{15,16}(?:\||%7C)[A-Za-z0-9_-]{27,40}|4b1d[A-Za-z0-9]{38}\b|ZXlK[A-Za-z0-9_+/-]{20,}={0,2}"
    rb"|A3-[A-Z0-9]{6}-[A-Z0-9-]{26,36}|[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{30,}))"
)
_PROVIDER_TOKEN = pattern(_PROVIDER_FORMS)
_WEBHOOK = pattern(
    rb"(?i)hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/]{20,})|"
    rb"discord(?:app)?\.com/api/webhooks/([0-9]+/[A-Za-z0-9_-]{20,})"
    rb"|\.webhook\.office\.com/webhookb2/([A-Za-z0-9@/_-]{30,})"
)
_VENDORS = (
    rb"adafruit|adobe|beamer|bintray|finicity|gocardless|meraki|airtable|algolia|alibaba|asana|atlassian|authress|aws|azure|bitbucket|bittrex|cloudflare"
    rb"|codecov|cohere"
    rb"|coinbase|confluent|contentful|databricks|datadog|discord|droneci|dropbox|etsy|facebook|fastly|finnhub|flickr"
    rb"|freshbooks|github|gitlab|gitter|hashicorp|heroku|hubspot|intercom|jenkins|jfrog|artifactory|kraken|kucoin"
    rb"|launchdarkly|linkedin|looker|mailchimp|mailgun|mapbox|mattermost|messagebird|netlify|new[_-]?relic|nytimes"
    rb"|okta|openai"
    rb"|pagerduty|plaid|rapidapi|sendbird|sendgrid|sentry|shopify|slack|snyk|sonarqube|squarespace|stripe|sumologic"
    rb"|telegram"
    rb"|travis(?:ci)?|trello|twilio|twitch|twitter|typeform|yandex|zendesk"
)
_VENDOR_FIELD = pattern(
    rb"(?i)\b((?:" + _VENDORS + rb")[\w-]{0,30})\\*[\"']?\]?[ \t]{0,4}(?:=>|[?.:|]{1,3}=|[=:])[ \t]{0,4}\\*[\"'`]?"
    rb"([A-Za-z0-9_=+/-]{14,128})(?:[^A-Za-z0-9_=+/-]|$)"
)
_PUBLIC_PARTS = frozenset(
    b"id sha commit ref branch url uri host version image digest trace request run build job".split()
)
_SECRET_PARTS = frozenset(b"key apikey token secret auth access".split())
_LONG_ENOUGH = 20
_UUID = pattern(rb"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def find_provider_token(raw: bytes) -> Iterator[Span]:
    """Find tokens whose issuer gives them a recognisable form."""
    for match in _PROVIDER_TOKEN.finditer(raw):
        yield Span(match.start(), match.end(), Kind.TOKEN)


def find_webhook(raw: bytes) -> Iterator[Span]:
    """Find the secret path of incoming webhooks."""
    for match in _WEBHOOK.finditer(raw):
        yield from group_spans(match, (1, 2, 3), Kind.TOKEN)


def find_vendor_field(raw: bytes) -> Iterator[Span]:
    """Find a random-looking value in a field named after a service: `datadog = "5f2c…"`."""
    for match in _VENDOR_FIELD.finditer(raw):
        value, words = match[2], set(match[1].lower().replace(b"-", b"_").split(b"_"))
        varied = not value.isdigit() and is_opaque(value) and entropy(value) >= 3.0  # noqa: PLR2004 - above any plain word
        short = len(value) < _LONG_ENOUGH and not value.isalnum()
        named = words & _SECRET_PARTS or not _UUID.fullmatch(value)
        if varied and named and not short and not words & _PUBLIC_PARTS:
            yield Span(match.start(2), match.end(2), Kind.TOKEN)


RULES = (
    Rule(_PROVIDER_FORMS, find_provider_token),
    Rule(rb"(?i)hooks\.slack\.com|/webhooks?", find_webhook),
    Rule(rb"(?i)(?:" + _VENDORS + rb")[\w-]{0,30}\\*[\"']?\]?[ \t]{0,4}[?.:|]{0,3}[=:]", find_vendor_field),
)
