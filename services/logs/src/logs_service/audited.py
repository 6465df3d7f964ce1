"""Which answers of logs are noted in the audit: records, which hold what was written. Data, and no more."""

from chassis.audit import Seen

_RECORDS = Seen(
    "log_record.seen", "log_record", lambda _, answer: (record.id for record in answer.log_records if record.body)
)

SIGHTINGS = dict.fromkeys(("ListLogRecords", "BatchGetLogRecords"), (_RECORDS,))
