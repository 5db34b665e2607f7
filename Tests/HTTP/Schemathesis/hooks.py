"""What schemathesis is kept from."""

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    """A watch has no end."""
    if case.query:
        case.query.pop("watch", None)


@schemathesis.hook
def filter_case(context, case):
    """Headers that nobody knows are passed over (RFC 9110, section 5.1)."""
    return "x-schemathesis-unknown-property" not in (case.headers or {})
