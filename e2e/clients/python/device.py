"""OMEMO (eu.siacs.conversations.axolotl) for agent.py.

Debian has the cryptography (python3-oldmemo) but not what joins it to slixmpp;
this is that join: two PEP nodes and one message element. Everything is kept in
memory, and every device met is trusted: this is for tests only.
"""

import omemo
import oldmemo
import oldmemo.etree
from slixmpp.exceptions import IqError

NS = oldmemo.oldmemo.NAMESPACE
DEVICES = NS + ".devicelist"


def bundle_node(device_id):
    return f"{NS}.bundles:{device_id}"


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
    """One OMEMO device of the account that client is signed in to."""

    @classmethod
    async def make(cls, client):
        self = cls()
        self.client = client
        storage = Memory()
        self.manager = await session_manager(client).create(
            [oldmemo.Oldmemo(storage)], storage, client.boundjid.bare, None, "undecided")
        await self.manager.after_history_sync()
        return self

    async def encrypt(self, to, text):
        await self.manager.refresh_device_list(NS, to)
        messages, errors = await self.manager.encrypt(frozenset({to}), {NS: text.encode()})
        if errors:
            raise RuntimeError(f"not for every device: {errors}")
        return oldmemo.etree.serialize_message(next(iter(messages)))

    async def decrypt(self, sender, element):
        message = await oldmemo.etree.parse_message(element, sender, self.client.boundjid.bare, self.manager)
        text, _, _ = await self.manager.decrypt(message)
        return None if text is None else text.decode()


def session_manager(client):
    """The library wants a class whose methods reach the network."""

    async def payload(jid, node):
        try:
            iq = await client["xep_0060"].get_items(jid, node)
        except IqError as e:
            if e.condition == "item-not-found":
                return None
            raise
        for item in iq["pubsub"]["items"]:
            return item["payload"]
        return None

    async def publish(node, element):
        options = client.plugin["xep_0004"].make_form(ftype="submit")
        options.add_field(var="FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/pubsub#publish-options")
        options.add_field(var="pubsub#access_model", value="open")
        await client["xep_0060"].publish(client.boundjid.bare, node, id="current", payload=element, options=options)

    class Manager(omemo.SessionManager):
        @staticmethod
        async def _upload_bundle(bundle):
            await publish(bundle_node(bundle.device_id), oldmemo.etree.serialize_bundle(bundle))

        @staticmethod
        async def _download_bundle(namespace, bare_jid, device_id):
            element = await payload(bare_jid, bundle_node(device_id))
            if element is None:
                raise omemo.BundleNotFound(f"{bare_jid} has no bundle {device_id}")
            return oldmemo.etree.parse_bundle(element, bare_jid, device_id)

        @staticmethod
        async def _delete_bundle(namespace, device_id):
            await client["xep_0060"].delete_node(client.boundjid.bare, bundle_node(device_id))

        @staticmethod
        async def _upload_device_list(namespace, device_list):
            await publish(DEVICES, oldmemo.etree.serialize_device_list(device_list))

        @staticmethod
        async def _download_device_list(namespace, bare_jid):
            element = await payload(bare_jid, DEVICES)
            return {} if element is None else oldmemo.etree.parse_device_list(element)

        async def _evaluate_custom_trust_level(self, device):
            return omemo.TrustLevel.TRUSTED

        async def _make_trust_decision(self, undecided, identifier):
            return None

        @staticmethod
        async def _send_message(message, bare_jid):
            m = client.make_message(mto=bare_jid, mtype="chat")
            m.append(oldmemo.etree.serialize_message(message))
            m.send()

    return Manager
