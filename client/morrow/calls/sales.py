"""Sales as they are stored, and what stands in the way of good forecasts."""

from morrow.call import BASE, Call, Content, Pages, get, whole
from morrow.schemas.sales import Finding, ImportReceipt, StoredSale
from morrow.schemas.spool import Receipt
from morrow.values import Day, day_text


def read_sales(
    *,
    product: str | None = None,
    location: str | None = None,
    first: Day | None = None,
    last: Day | None = None,
) -> Pages[StoredSale]:
    """The stored rows in order of location, product and date, all in memory at once;
    `download_sales` writes them to a file."""
    return Pages(export_sales("json", product, location, first, last), whole=True)


def export_sales(
    format: str, product: str | None, location: str | None, first: Day | None, last: Day | None
) -> Call[object]:
    """The stored rows, streamed."""
    asked = {
        "product": product,
        "location": location,
        "from": day_text(first),
        "to": day_text(last),
        "format": format,
    }
    return get("/sales", asked)


def post_sales(content: Content) -> Call[ImportReceipt | Receipt]:
    """Load sales, all or nothing; a receipt where they wait on the service's disk."""
    return Call("POST", BASE + "/sales", content=content)


def post_regressors(content: Content) -> Call[ImportReceipt | Receipt]:
    """Tell what is known of days, all or nothing; a receipt as for sales."""
    return Call("POST", BASE + "/regressors", content=content)


def list_findings(*, product: str | None = None, location: str | None = None) -> Pages[Finding]:
    """What there is to say of the stored rows, gravest first, and what to do about it."""
    return whole("/sales/quality", {"product": product, "location": location})
