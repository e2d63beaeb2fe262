"""NTLM, which does not send the password."""

from typing import Final

import ldap3
import spnego
from ldap3.core.results import RESULT_SASL_BIND_IN_PROGRESS, RESULT_SUCCESS
from ldap3.protocol.sasl.sasl import send_sasl_negotiation
from spnego._ntlm_raw.messages import NegotiateFlags
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from ..errors import Phrase
from . import certificates
from .binding import Result
from .faults import NotAnswered
from .names import Form, read
from .plan import Directory

LEGS: Final = 4


def bind(connection: ldap3.Connection, directory: Directory, name: str, password: str) -> Result:
    """Bind by NTLM in GSS-SPNEGO (MS-ADTS 5.1.1.1.2), which does not send the password.

    ldap3's own NTLM is the older Sicily form, which Samba does not speak and which needs MD4
    of OpenSSL.
    """
    try:
        client = spnego.client(
            _for_ntlm(directory, name),
            password,
            hostname=connection.server.host,
            service="ldap",
            protocol="ntlm",
            context_req=spnego.ContextReq.none,  # TLS does the signing, where there is any
            channel_bindings=_channel(connection),
        )
        # Without signing, pyspnego puts one octet where a session key belongs, which Samba
        # refuses. Nothing would use that key: so none is agreed on.
        client._context_req &= ~NegotiateFlags.key_exch
        token = client.step()
        connection.authentication = ldap3.SASL
        connection.sasl_mechanism = "GSS-SPNEGO"
        for _ in range(LEGS):
            result: Result = dict(
                send_sasl_negotiation(connection, None, token)  # type: ignore[no-untyped-call]
            )
            if result["result"] != RESULT_SASL_BIND_IN_PROGRESS:
                break
            token = client.step(result.get("saslCreds"))
    except SpnegoError as error:
        raise NotAnswered(
            Phrase("NTLM went wrong: %(reason)s"),
            Phrase("Try SIMPLE as the method, with ldaps:// or StartTLS"),
            others_may=False,
            reason=str(error),
        ) from None
    connection.bound = result["result"] == RESULT_SUCCESS
    return result


def _for_ntlm(directory: Directory, typed: str) -> str:
    """The name as NTLM wants it: with a domain before it, or as a principal."""
    name = read(typed)
    if name is not None and name.form is Form.PLAIN:
        return f"{directory.domain}\\{name.account}"
    return typed


def _channel(connection: ldap3.Connection) -> GssChannelBindings | None:
    """What ties NTLM to this TLS connection: controllers may ask for it (RFC 5929)."""
    certificate = certificates.of_server(connection.socket)
    if certificate is None:
        return None
    return GssChannelBindings(
        application_data=b"tls-server-end-point:" + certificates.end_point(certificate)
    )
