// A person who makes calls by stanza.js: its client, its SessionManager and its sessions do what they do, and this page what
// is left to a program that is built on them: the messages of XEP-0353, which the library does not know, and the
// person's wishes.

import * as XMPP from 'stanza';

const { JXT } = XMPP;
const initiation = 'urn:xmpp:jingle-message:0';
const rtp = 'urn:xmpp:jingle:apps:rtp:1';

// media are the kinds that a propose names.
const media = {
	importer: (xml) => xml.getChildren('description', rtp).map((d) => d.getAttribute('media')),
	exporter: (xml, kinds) => kinds.forEach((kind) => xml.appendChild(new JXT.XMLElement('description', { xmlns: rtp, media: kind }))),
};

// reason is why a call was declined or taken back.
const reason = {
	importer: (xml) => xml.getChild('reason', 'urn:xmpp:jingle:1')?.children.find((c) => c.name && c.name !== 'text')?.name,
	exporter: () => {},
};

// XEP-0353 §3
const invitations = ['propose', 'ringing', 'proceed', 'reject', 'retract', 'finish'];
const definitions = invitations.map((element) => ({
	path: `message.${element}`, element, namespace: initiation, fields: { id: JXT.attribute('id'), media, reason },
}));

let client, session, stream;
let proposed; // by them
let placed; // by us: the id
const happened = []; // and nobody has waited for it
const waiting = [];
const lines = []; // of the stream, for a test that fails

function tell(event) {
	const at = waiting.findIndex((w) => w.name === event.name);
	if (at < 0) happened.push(event);
	else waiting.splice(at, 1)[0].done(event);
}

async function listen(video) {
	stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: video ? { width: 320, height: 240 } : false });
}

// shows has what comes played, as a page must that wants it decoded.
function shows(track) {
	const view = document.body.appendChild(document.createElement('video'));
	Object.assign(view, { autoplay: true, muted: true, srcObject: new MediaStream([track]) });
}

function over() {
	for (const track of stream?.getTracks() ?? []) track.stop();
	for (const view of document.querySelectorAll('video')) view.remove();
}

function invited(message) {
	for (const name of invitations) {
		if (message[name]) tell({ name, from: message.from, ...message[name] });
	}
}

// offers begins the session with the device that has accepted.
async function offers(to) {
	session = client.jingle.createMediaSession(to, placed, stream);
	await session.start();
}

// accepts takes what a caller offers to whom we have said that we accept.
async function accepts(incoming) {
	session = incoming;
	for (const track of stream.getTracks()) await session.addTrack(track, stream);
	await session.accept();
}

function watch() {
	client.on('raw:*', (way, text) => lines.push(`${way} ${text}`));
	client.on('subscribe', (p) => {
		client.acceptSubscription(p.from);
		client.subscribe(p.from);
	});
	client.on('message', (m) => {
		if (m.propose) {
			proposed = { ...m.propose, from: m.from };
			client.sendMessage({ to: m.from, type: 'chat', ringing: { id: m.propose.id } });
		}
		if (m.proceed?.id === placed) offers(m.from);
		invited(m);
	});
	client.on('jingle:incoming', (s) => s.sid === proposed?.id && accepts(s));
	client.on('jingle:terminated', (s, why) => {
		over();
		tell({ name: 'terminated', id: s.sid, reason: why?.condition });
	});
	for (const name of ['mute', 'unmute']) client.on(`jingle:${name}`, (s, info) => tell({ name, content: info.name, creator: info.creator }));
	client.jingle.on('peerTrackAdded', (s, track) => shows(track));
	client.jingle.on('connectionState', (s, state) => state === 'connected' && tell({ name: 'connected' }));
}

const wishes = {
	// enter signs in, over the WebSocket at the address given
	async enter({ address, password, at }) {
		client = XMPP.createClient({ jid: address, password, transports: { websocket: at, bosh: false }, jingle: { iceServers: [] } });
		client.stanzas.define(definitions);
		client.disco.addFeature(initiation);
		watch();
		await new Promise((done, failed) => {
			client.on('session:started', done);
			client.on('auth:failed', () => failed(new Error('the server refuses the password')));
			client.connect();
		});
		await client.getRoster();
		client.updateCaps();
		client.sendPresence({ legacyCapabilities: client.disco.getCaps() });
		return client.jid;
	},
	// until waits for the next of something that happens
	until: ({ name }) => {
		const at = happened.findIndex((e) => e.name === name);
		return at >= 0 ? happened.splice(at, 1)[0] : new Promise((done) => waiting.push({ name, done }));
	},
	// place calls somebody, and offers to the device that accepts
	async place({ to, video }) {
		await listen(video);
		placed = crypto.randomUUID();
		client.sendMessage({ to, type: 'chat', propose: { id: placed, media: video ? ['audio', 'video'] : ['audio'] } });
		return placed;
	},
	// answer accepts the call that rings
	async answer({ video }) {
		await listen(video);
		client.sendMessage({ to: proposed.from, type: 'chat', proceed: { id: proposed.id } });
	},
	decline: () => {
		client.sendMessage({ to: proposed.from, type: 'chat', reject: { id: proposed.id } });
	},
	hangUp: () => session.end('success'),
	mute: ({ content, off }) => session[off ? 'unmute' : 'mute'](session.role, content),
	// counts are what has come and gone of each kind
	async counts() {
		const counts = {};
		for (const one of (await session.pc.getStats()).values()) {
			if (one.type === 'inbound-rtp') {
				Object.assign((counts[one.kind] ??= {}), { packets: one.packetsReceived, frames: one.framesDecoded ?? 0, samples: one.totalSamplesReceived ?? 0 });
			} else if (one.type === 'outbound-rtp') {
				Object.assign((counts[one.kind] ??= {}), { sentPackets: one.packetsSent, sentFrames: one.framesEncoded ?? 0 });
			}
		}
		return counts;
	},
	contents: () => session.pc.getTransceivers().map((t) => ({ name: t.mid, kind: t.receiver.track.kind })),
	wire: () => lines.splice(0),
};

globalThis.does = (what, how) => wishes[what](how);
