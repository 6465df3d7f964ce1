"""Which answers of auth are noted in the audit: the histories of accounts. Data, and no more."""

from chassis.audit import Seen

_HISTORY = Seen("user.history_seen", "user", lambda request, _: (request.id,))

SIGHTINGS = dict.fromkeys(("ListChanges", "GetState", "CompareVersions"), (_HISTORY,))
