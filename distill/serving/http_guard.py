"""What protects keys, the network and the logs: which URLs are asked, which headers go, what is said of errors."""

import ipaddress
import json
import os
import re
import socket
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

# A key that everyone has goes to its own host alone, whatever a manifest says.
HOME_OF_KEY = {
    "OPENAI_API_KEY": "api.openai.com",
    "ANTHROPIC_API_KEY": "api.anthropic.com",
    "DEEPSEEK_API_KEY": "api.deepseek.com",
    "HF_TOKEN": "router.huggingface.co",
}

_SECRETS = re.compile(r"\b(?:hf_|sk-|AKIA|ghp_|gho_|github_pat_|xox[abp]-)[A-Za-z0-9_\-]{8,}|\bBearer\s+[^\s\"',;]{4,}")


def checked_url(url: str) -> str:
    """The URL, if it names an http server and nothing more.

    Raises:
        ValueError: another scheme, no host, a user name, a query, white space, or a link-local address.
    """
    if not all("!" <= character <= "~" for character in url):  # urlsplit drops line ends silently
        raise ValueError("base_url holds white space, or letters that are not ASCII")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("base_url starts with http:// or https:// and names a host, like http://127.0.0.1:8000/v1")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("base_url holds no user name, password or query; name the key's variable in api_key_env")
    if not _has_fit_port(parts):
        raise ValueError("base_url has a port that is no number from 1 to 65535")
    if is_link_local(parts.hostname):
        raise ValueError(LINK_LOCAL.format(parts.hostname))
    return url.rstrip("/")


LINK_LOCAL = "base_url names the link-local address {}: cloud machines keep their own credentials there"


def host_of(url: str) -> str:
    """Host and port, for messages."""
    return urlsplit(url).netloc.lower()


def refuse_link_local(url: str) -> None:
    """Looks the host up: a name, or a number in another notation, may still mean a link-local address.

    Raises:
        ValueError: it does.
    """
    parts = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return  # unreachable, or behind a proxy that knows the name: the request itself will tell
    for *_, address in found:
        if is_link_local(str(address[0])):
            raise ValueError(LINK_LOCAL.format(f"{parts.hostname} ({address[0]})"))


def key_for(variable: str | None, hosts: Iterable[str]) -> tuple[str | None, str | None]:
    """The variable whose key goes to these hosts, and the key; both None where none does.

    Raises:
        ValueError: the key belongs to another host, or its variable is not set.
    """
    names = {host.partition(":")[0] for host in hosts}
    if variable is None:
        if names != {HOME_OF_KEY["OPENAI_API_KEY"]}:
            return None, None
        variable = "OPENAI_API_KEY"
    home = HOME_OF_KEY.get(variable)
    if home is not None and names != {home}:
        others = ", ".join(sorted(names - {home}))
        raise ValueError(
            f"the key in {variable} goes to {home} only, not to {others}; name another variable for theirs"
        )
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ValueError(f"the environment variable {variable} (api_key_env) is not set: export {variable}=...")
    if not all("!" <= character <= "~" for character in key):
        raise ValueError(f"the key in {variable} holds characters that no key has; was more than the key pasted?")
    return variable, key


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """One short line without the secrets and without anything that looks like one."""
    for secret in secrets:
        text = text.replace(secret, "[redacted]").replace(json.dumps(secret)[1:-1], "[redacted]")
    # Cut before white space goes: what was read ends somewhere, perhaps within a secret, and that end must not move up.
    text = " ".join(_SECRETS.sub("[redacted]", text)[:1000].split())
    return text if len(text) <= 300 else f"{text[:297]}..."


def _has_fit_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def is_link_local(host: str) -> bool:
    """Whether this is an address where cloud machines keep their own credentials; names are none."""
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_link_local
