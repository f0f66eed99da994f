"""A person with slixmpp, told what to do on standard input.

Commands and answers are JSON, one object a line. A command {"id": 1, "do":
"send", ...} is answered by {"re": 1, "ok": ...} or {"re": 1, "error": "..."};
whatever happens by itself is told as {"event": "message", ...}. Commands are
the methods do_NAME below. Slixmpp's own log goes to standard error.
"""

import asyncio
import json
import logging
import sys
from xml.etree import ElementTree

import slixmpp
from slixmpp.xmlstream.handler import CoroutineCallback
from slixmpp.xmlstream.matcher import MatchXPath

ENCRYPTED = "{eu.siacs.conversations.axolotl}encrypted"


def tell(**what):
    print(json.dumps(what), flush=True)


class Agent(slixmpp.ClientXMPP):
    def __init__(self, jid, password, ca):
        super().__init__(jid, password)
        self.ca_certs = ca
        self.device = None
        for plugin in ("xep_0030", "xep_0198", "xep_0199", "xep_0203", "xep_0280", "xep_0313", "xep_0060", "xep_0363"):
            self.register_plugin(plugin)
        self.roster.auto_authorize = None
        self.roster.auto_subscribe = None
        self.without_channel_binding()
        self.watch()

    def without_channel_binding(self):
        """Slixmpp before 1.8.5 claims tls-unique, which TLS 1.3 does not have, and
        can sign in to no server that offers channel binding there; do as 1.8.5."""
        mechanisms = self["feature_mechanisms"]
        given = mechanisms.sasl_callback
        mechanisms.sasl_callback = lambda must, may: {**given(must, may - {"channel_binding"}), "channel_binding": None}
        mechanisms.use_mechs = {"SCRAM-SHA-256", "SCRAM-SHA-1"}

    def watch(self):
        on = self.add_event_handler
        on("session_start", lambda _: tell(event="started", jid=str(self.boundjid)))
        on("session_resumed", lambda _: tell(event="resumed"))
        on("sm_failed", lambda _: tell(event="not resumed"))
        on("stanza_acked", lambda st: tell(event="acked", stanza=st["id"]))
        on("disconnected", lambda _: tell(event="disconnected"))
        on("failed_auth", lambda st: tell(event="refused", why=str(st)))
        on("ssl_invalid_chain", lambda e: tell(event="certificate refused", why=str(e)))
        on("message", self.on_message)  # slixmpp tells of messages with a body only
        self.register_handler(CoroutineCallback("encrypted", MatchXPath(f"{{{self.default_ns}}}message/{ENCRYPTED}"),
                                                self.on_encrypted))
        on("message_error", self.on_error)
        on("carbon_received", lambda m: self.on_carbon("received", m["carbon_received"]))
        on("carbon_sent", lambda m: self.on_carbon("sent", m["carbon_sent"]))
        on("presence_subscribe", lambda p: tell(event="asks", who=p["from"].bare))
        on("presence_subscribed", lambda p: tell(event="allows", who=p["from"].bare))
        on("got_online", lambda p: tell(event="online", who=p["from"].bare, jid=str(p["from"])))
        on("got_offline", lambda p: tell(event="offline", who=p["from"].bare, jid=str(p["from"])))

    # what happens by itself

    def on_message(self, m):
        if m.xml.find(ENCRYPTED) is None:
            tell(event="message", sender=m["from"].bare, jid=str(m["from"]), body=m["body"],
                 delayed=m.xml.find("{urn:xmpp:delay}delay") is not None)

    async def on_encrypted(self, m):
        try:
            text = await self.device.decrypt(m["from"].bare, m.xml.find(ENCRYPTED))
        except Exception as e:  # whatever went wrong, the test is to see it
            return tell(event="undecipherable", sender=m["from"].bare, why=repr(e))
        if text is not None:
            tell(event="secret", sender=m["from"].bare, body=text)

    def on_error(self, m):
        condition = m["error"].xml[0].tag.split("}")[1]  # slixmpp's own list lacks policy-violation
        tell(event="error", sender=str(m["from"]), condition=condition, type=m["error"]["type"],
             text=m["error"]["text"])

    def on_carbon(self, way, m):
        tell(event="carbon", way=way, sender=m["from"].bare, to=m["to"].bare, body=m["body"])

    # what it is told to do

    async def do_connect(self, host, port, **_):
        self.connect((host, int(port)))

    async def do_start(self, **_):
        await self["xep_0280"].enable()
        await self.get_roster()
        self.send_presence()

    async def do_send(self, to, body, **_):
        m = self.make_message(mto=to, mbody=body, mtype="chat")
        m.send()
        return m["id"]

    async def do_subscribe(self, to, **_):
        self.send_presence_subscription(pto=to)

    async def do_allow(self, to, **_):
        self.send_presence(pto=to, ptype="subscribed")

    async def do_roster(self, **_):
        await self.get_roster()  # empty when the version known is still the newest
        return {j: {k: self.client_roster[j][k] for k in ("subscription", "name", "groups")} for j in self.client_roster}

    async def do_rename(self, to, name, **_):
        await self.update_roster(to, name=name, groups=["friends"])

    async def do_archive(self, to=None, **_):
        found = []
        async for m in self["xep_0313"].iterate(with_jid=slixmpp.JID(to) if to else None, rsm={"max": 2}):
            result = m["mam_result"]
            found.append({"id": result["id"], "body": result["forwarded"]["stanza"]["body"]})
        return found

    async def do_upload(self, path, **_):
        # slixmpp 1.8.3 looks for the service with what Python 3.11 does not take any more
        self["xep_0363"].upload_service = slixmpp.JID("upload." + self.boundjid.domain)
        return await self["xep_0363"].upload_file(path)

    async def do_features(self, to, **_):
        info = await self["xep_0030"].get_info(jid=to, cached=False)
        return sorted(info["disco_info"]["features"])

    async def do_ping(self, **_):
        await self["xep_0199"].send_ping(self.boundjid.domain)

    async def do_acknowledged(self, **_):
        """Waits until the server has acknowledged everything: then a kill loses none of it."""
        sm = self["xep_0198"]
        sm.request_ack()
        while sm.unacked_queue:
            await asyncio.sleep(0.01)

    async def do_cut(self, **_):
        """Drop the connection as a lost network does: without a closing tag."""
        self.transport.abort()

    async def do_leave(self, **_):
        self["xep_0198"].send_ack()  # else what came last is sent again to the next session
        await self.disconnect()

    async def do_omemo(self, **_):
        from device import Device
        self.device = await Device.make(self)

    async def do_secret(self, to, body, **_):
        m = self.make_message(mto=to, mtype="chat")
        m.append(await self.device.encrypt(to, body))
        m.append(ElementTree.Element("{urn:xmpp:hints}store"))
        m.send()


async def obey(agent, line):
    command = json.loads(line)
    try:
        result = await getattr(agent, "do_" + command["do"])(**command)
        tell(re=command["id"], ok=result)
    except Exception as e:
        logging.exception("command")
        tell(re=command["id"], error=repr(e))


async def main():
    agent = Agent(*sys.argv[1:])
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        asyncio.ensure_future(obey(agent, line))


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(main())
