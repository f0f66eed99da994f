// One end of a call in Chromium: an RTCPeerConnection with its own tone and picture, as lines of JSON say. It stands
// for the browser's seat, without engine and server.
//
//   {do: 'open', video}  {do: 'create', servers, relayOnly, bundle}  {do: 'offer', restart}  {do: 'remote', type, sdp}
//   {do: 'answer'}  {do: 'address', mid, candidate}  {do: 'camera'}  {do: 'stats', id}
//
// and it says {said: 'described', type, sdp}, {said: 'fed'} of a remote that was taken, {said: 'address', mid, candidate}, {said: 'state', state}, {said: 'stats', id, stats, way},
// {said: 'trouble', text}.

import http from 'node:http';
import { createRequire } from 'node:module';
import readline from 'node:readline';

const { chromium } = createRequire(new URL('../../browser/package.json', import.meta.url))('playwright-core');

const server = http.createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<!doctype html><title>peer</title>'));
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const browser = await chromium.launch({
	executablePath: process.argv[2],
	chromiumSandbox: process.getuid() !== 0,
	args: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
});
const page = await browser.newPage();
await page.exposeFunction('say', (words) => console.log(JSON.stringify(words)));
await page.goto(`http://127.0.0.1:${server.address().port}/`);
await page.evaluate(begin);

for await (const line of readline.createInterface({ input: process.stdin })) {
	await page.evaluate((order) => window.take(order), JSON.parse(line)).catch((e) => console.log(JSON.stringify({ said: 'trouble', text: String(e) })));
}
await browser.close();
server.close();

function begin() {
	let media, pc;
	const steps = {
		async open({ video }) {
			media = await navigator.mediaDevices.getUserMedia({ audio: true, video: video ? { width: 320, height: 240 } : false });
		},
		async create({ servers, relayOnly, bundle }) {
			pc = new RTCPeerConnection({ iceServers: servers ?? [], iceTransportPolicy: relayOnly ? 'relay' : 'all', bundlePolicy: bundle ?? 'max-bundle' });
			pc.onicecandidate = ({ candidate }) => say({ said: 'address', mid: candidate?.sdpMid ?? '', candidate: candidate?.candidate ?? '' });
			pc.onconnectionstatechange = () => say({ said: 'state', state: pc.connectionState });
			pc.ontrack = ({ track, streams }) => {
				const view = document.body.appendChild(document.createElement('video'));
				Object.assign(view, { autoplay: true, muted: true, srcObject: new MediaStream([track]) });
			};
			for (const track of media.getTracks()) pc.addTrack(track, media);
		},
		async offer({ restart }) {
			await pc.setLocalDescription(await pc.createOffer({ iceRestart: restart }));
			await say({ said: 'described', ...pc.localDescription.toJSON() });
		},
		async answer() {
			await pc.setLocalDescription(await pc.createAnswer());
			await say({ said: 'described', ...pc.localDescription.toJSON() });
		},
		async remote({ type, sdp }) {
			await pc.setRemoteDescription({ type, sdp });
			await say({ said: 'fed' });
		},
		address: ({ mid, candidate }) => pc.addIceCandidate(candidate ? { sdpMid: mid, candidate } : undefined),
		async camera() {
			const more = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } });
			pc.addTrack(more.getVideoTracks()[0], media);
		},
		close: () => pc?.close(),
		async stats({ id }) {
			const stats = {};
			for (const one of (await pc.getStats()).values()) {
				if (one.type === 'inbound-rtp') stats[one.kind] = { packets: one.packetsReceived, frames: one.framesDecoded ?? 0, samples: one.totalSamplesReceived ?? 0 };
			}
			const all = await pc.getStats();
			const pair = all.get([...all.values()].find((one) => one.type === 'transport')?.selectedCandidatePairId);
			const way = pair && all.get(pair.localCandidateId)?.candidateType + '-' + all.get(pair.remoteCandidateId)?.candidateType;
			await say({ said: 'stats', id, stats, way });
		},
	};
	let turn = Promise.resolve(); // one step behind the other
	window.take = ({ do: what, ...how }) => (turn = turn.catch(() => {}).then(() => steps[what](how)));
}
