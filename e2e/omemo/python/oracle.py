"""python-oldmemo and python-twomemo behind the protocol of e2e/omemo (README.md
there): one question of JSON on each line of standard input, one answer on each
line of standard output. The argument says which: oldmemo or twomemo.

The libraries keep one session with a device; this keeps those before it too and
tries them in turn, as other clients do, so that what is compared is the ratchet
and not that policy. Everything is in memory, secrets included: for tests only.
"""

import asyncio
import base64
import importlib
import json
import secrets
import sys
import types
import xml.etree.ElementTree as ET

import doubleratchet
import omemo
import xeddsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

NAME = sys.argv[1]
impl = importlib.import_module(f"{NAME}.{NAME}")
etree = importlib.import_module(f"{NAME}.etree")
LEGACY = NAME == "oldmemo"
ACTIVE = omemo.session.Initiation.ACTIVE
OWN, NUMBER = "own@example.org", 1


class Failure(Exception):
    """What is told to the test: one word, and the reason in the library's own."""

    def __init__(self, word, reason):
        super().__init__(repr(reason))
        self.word = word


class Memory(omemo.Storage):
    def __init__(self):
        super().__init__(True)
        self.kept = {}

    async def _load(self, key):
        return omemo.Just(self.kept[key]) if key in self.kept else omemo.Nothing()

    async def _store(self, key, value):
        self.kept[key] = value

    async def _delete(self, key):
        self.kept.pop(key, None)


class Device:
    def __init__(self):
        self.storage = Memory()
        self.backend = impl.Oldmemo(self.storage) if LEGACY else impl.Twomemo(self.storage)
        self.sessions = {}  # by peer, newest first
        self.identity = {}  # of peers, as their bundles have it

    async def bundle(self):
        return etree.serialize_bundle(await self.backend.get_bundle(OWN, NUMBER))

    async def start(self, peer, element, material):
        bundle = etree.parse_bundle(element, peer, NUMBER)
        self.identity[peer] = bundle.identity_key
        try:
            session, encrypted = await self.backend.build_session_active(peer, NUMBER, bundle, material)
        except omemo.KeyExchangeFailed as e:
            raise Failure("signature", e.__cause__ or e) from e
        self.sessions.setdefault(peer, []).insert(0, session)
        return encrypted, session.key_exchange

    async def encrypt(self, peer, material):
        if not self.sessions.get(peer):
            raise Failure("malformed", "no session")
        session = self.sessions[peer][0]
        encrypted = await self.backend.encrypt_key_material(session, material)
        unanswered = session.initiation is ACTIVE and not session.confirmed
        return encrypted, session.key_exchange if unanswered else None

    async def decrypt(self, peer, encrypted, exchange):
        known = self.sessions.setdefault(peer, [])
        if exchange is not None:
            same = [s for s in known if s.initiation is not ACTIVE and s.key_exchange.builds_same_session(exchange)]
            if not same:
                return await self.accept(peer, encrypted, exchange)
            known = same
        if not known:
            raise Failure("refused", "no session")
        first = None
        for session in known:
            try:
                material = await self.backend.decrypt_key_material(session, encrypted)
            except omemo.DecryptionFailed as e:
                first = first or e
                if isinstance(e.__cause__, doubleratchet.DuplicateMessageException):
                    raise Failure("old", e.__cause__) from e
                continue
            self.sessions[peer].remove(session)
            self.sessions[peer].insert(0, session)
            return material
        raise Failure("refused", first.__cause__)

    async def accept(self, peer, encrypted, exchange):
        try:
            session, material = await self.backend.build_session_passive(peer, NUMBER, exchange, encrypted)
        except omemo.KeyExchangeFailed as e:
            raise Failure("prekey", e) from e
        except omemo.DecryptionFailed as e:
            raise Failure("refused", e.__cause__) from e
        await self.backend.delete_pre_key(session)
        self.sessions[peer].insert(0, session)
        return material


devices = {}


def blob(text):
    return base64.b64decode(text or "")


def text(raw):
    return base64.b64encode(raw).decode()


def material(plain):
    n = impl.PlainKeyMaterialImpl.KEY_LENGTH
    return impl.PlainKeyMaterialImpl(plain[:n], plain[n:])


def wire(encrypted, exchange):
    """A message as the bytes of a <key/>."""
    inner = encrypted.serialize()
    if exchange is None:
        return {"Data": text(inner)}
    outer = exchange.serialize(inner)
    return {"Data": text(outer[0] if LEGACY else outer), "PreKey": True}


def unwire(device, q):
    data, exchange = blob(q["Data"]), None
    if q.get("PreKey"):
        if LEGACY:
            own = device.identity.get(q["Peer"], bytes(32))
            exchange, data = impl.KeyExchangeImpl.parse(data, bool(own[31] >> 7))
        else:
            exchange, data = impl.KeyExchangeImpl.parse(data)
    return impl.EncryptedKeyMaterialImpl.parse(data, q["Peer"], NUMBER), exchange


async def create(q):
    device = devices[q["Device"]] = Device()
    await device.backend.generate_pre_keys(100)
    return await bundle(q)


async def bundle(q):
    return {"Bundle": text(ET.tostring(await devices[q["Device"]].bundle()))}


async def rotate(q):
    await devices[q["Device"]].backend.rotate_signed_pre_key()
    return await bundle(q)


async def start(q):
    element = ET.fromstring(blob(q["Bundle"]))
    return wire(*await devices[q["Device"]].start(q["Peer"], element, material(blob(q["Plain"]))))


async def encrypt(q):
    return wire(*await devices[q["Device"]].encrypt(q["Peer"], material(blob(q["Plain"]))))


async def decrypt(q):
    device = devices[q["Device"]]
    m = await device.decrypt(q["Peer"], *unwire(device, q))
    return {"Plain": text(m.key + m.auth_tag)}


async def seal(q):
    """A whole message as XML, for a peer with whom there is a session. Empty
    without Plain."""
    device = devices[q["Device"]]
    backend = device.backend
    if q.get("IV"):
        content, m = encrypt_with_iv(blob(q["Plain"]), secrets.token_bytes(q["IV"]))
    elif q.get("Plain"):
        content, m = await backend.encrypt_plaintext(blob(q["Plain"]))
    else:
        content, m = await backend.encrypt_empty()
    encrypted, exchange = await device.encrypt(q["Peer"], m)
    message = omemo.message.Message(impl.NAMESPACE, OWN, NUMBER, content, frozenset({(encrypted, exchange)}))
    return {"Data": text(ET.tostring(etree.serialize_message(message)))}


def encrypt_with_iv(plain, iv):
    """What the library does, with an IV of another length."""
    key = secrets.token_bytes(16)
    aes = Cipher(algorithms.AES(key), modes.GCM(iv)).encryptor()
    ciphertext = aes.update(plain) + aes.finalize()
    return impl.ContentImpl(ciphertext, iv), impl.PlainKeyMaterialImpl(key, aes.tag)


async def unseal(q):
    """Reads a whole message of XML. Without a payload there is no Plain."""
    device = devices[q["Device"]]
    element = ET.fromstring(blob(q["Data"]))
    if LEGACY:
        message = await etree.parse_message(element, q["Peer"], OWN, Known(device, element))
    else:
        message = etree.parse_message(element, q["Peer"])
    (encrypted, exchange), = message.keys
    m = await device.decrypt(q["Peer"], encrypted, exchange)
    if message.content.empty:
        return {}
    try:
        return {"Plain": text(await device.backend.decrypt_plaintext(message.content, m))}
    except omemo.DecryptionFailed as e:
        raise Failure("refused", e) from e


class Known:
    """What parse_message asks of a session manager."""

    def __init__(self, device, element):
        self.device = device
        header = element.find("{%s}header" % impl.NAMESPACE)
        self.number = int(header.get("sid"))

    async def get_device_information(self, peer):
        key = self.device.identity.get(peer, bytes(32))
        return [types.SimpleNamespace(device_id=self.number, identity_key=key)]


async def lists(q):
    """Reads a device list and writes it again."""
    element = ET.fromstring(blob(q["Data"]))
    return {"Data": text(ET.tostring(etree.serialize_device_list(etree.parse_device_list(element))))}


async def sign(q):
    """A signature with a new identity, as it would be published."""
    seed = omemo.identity_key_pair.IdentityKeyPairSeed(blob(q["Key"]))
    key = seed.identity_key
    signature = bytearray(xeddsa.ed25519_priv_sign(seed.as_priv().priv, blob(q["Message"])))
    if not LEGACY:
        return {"Key": text(key), "Data": text(bytes(signature))}
    signature[63] |= key[31] & 0x80
    return {"Key": text(xeddsa.ed25519_pub_to_curve25519_pub(key)), "Data": text(bytes(signature))}


async def verify(q):
    key, signature = blob(q["Key"]), bytearray(blob(q["Data"]))
    if LEGACY:
        key = xeddsa.curve25519_pub_to_ed25519_pub(key, bool(signature[63] >> 7))
        signature[63] &= 0x7F
    return {"True": xeddsa.ed25519_verify(bytes(signature), key, blob(q["Message"]))}


DEEDS = {
    "device": create, "bundle": bundle, "rotate": rotate, "start": start, "encrypt": encrypt, "decrypt": decrypt,
    "seal": seal, "unseal": unseal, "list": lists, "sign": sign, "verify": verify,
}


async def answer(q):
    try:
        return await DEEDS[q["Do"]](q)
    except Failure as e:
        return {"Error": e.word, "Text": str(e)}
    except Exception as e:  # whatever the library does with nonsense
        return {"Error": "malformed", "Text": repr(e)}


async def main():
    for line in sys.stdin:
        print(json.dumps(await answer(json.loads(line))), flush=True)


asyncio.run(main())
