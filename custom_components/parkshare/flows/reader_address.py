"""The address of a reader service: as people write it, and whether a service is there that knows the token."""

from aiohttp import ClientSession
from yarl import URL

from custom_components.parkshare.const import CONF_SERVICE_TOKEN, CONF_SERVICE_URL
from custom_components.parkshare.recognition.remote import About, ServiceError, ServiceReader

DEFAULT_PORT = 8733
LONGEST_ADDRESS = 300


class BadReaderAddressError(ValueError):
    """This is not an address."""


def normalise_address(text: str) -> str:
    """Bring an address into the form scheme, host, port; raises BadReaderAddressError.

    Without a scheme it is http, and without a port then the service's own.
    """
    text = text.strip()
    if not text or len(text) > LONGEST_ADDRESS:
        raise BadReaderAddressError
    bare = "://" not in text
    try:
        url = URL(f"http://{text}" if bare else text)
        port = DEFAULT_PORT if bare and url.explicit_port is None else url.port
        if url.scheme not in {"http", "https"} or not url.host or port is None or url.user or url.path not in {"", "/"}:
            raise BadReaderAddressError
        return str(URL.build(scheme=url.scheme, host=url.host, port=port))
    except ValueError as err:
        raise BadReaderAddressError from err


async def async_look_up(session: ClientSession, url: str, token: str, *, must_prove: bool = False) -> About:
    """Ask who is at an address; raises ServiceError, also where the token is missing or wrong.

    must_prove refuses a service without a token: one that nobody but itself named.
    """
    about = await ServiceReader(session, url, token).about()
    if not token and (about.wants_token or must_prove):
        raise ServiceError("wrong_token", "The reader service wants a token.", "Enter it.")
    return about


def error_of(err: BadReaderAddressError | ServiceError) -> tuple[str, str, str]:
    """The field of the form that an error belongs to, the key of its text, and what the text quotes."""
    if isinstance(err, ServiceError):
        field = CONF_SERVICE_TOKEN if err.key == "wrong_token" else CONF_SERVICE_URL
        return field, f"reader_{err.key}", err.reason
    return CONF_SERVICE_URL, "reader_invalid_address", ""
