import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeEngine } from '../../port/fake';
import type { CallMedia, Command } from '../../port/types';
import { Capture } from './capture.svelte';
import { FakeConnection, FakeMedia, fakeSound, FakeStream, FakeTrack } from './fakes';
import { Picks } from './picks.svelte';
import { Seat } from './seat.svelte';
import { Theirs } from './theirs.svelte';

let media: FakeMedia;
let made: FakeConnection[];
let engine: FakeEngine;
let seat: Seat;
let wrong: unknown[];

beforeEach(() => {
	vi.stubGlobal('MediaStream', FakeStream);
	localStorage.clear();
	media = new FakeMedia();
	made = [];
	wrong = [];
	engine = new FakeEngine();
	const picks = new Picks(media as unknown as MediaDevices);
	const make = (c: RTCConfiguration) => (made.push(new FakeConnection(c)), made.at(-1) as unknown as RTCPeerConnection);
	seat = new Seat(engine, 'here', { make, picks, capture: new Capture(picks.chosen, media as unknown as MediaDevices), theirs: new Theirs(fakeSound) });
	seat.failed = (_, e) => wrong.push(e);
});
afterEach(() => {
	vi.unstubAllGlobals();
	vi.useRealTimers();
});

async function told(...all: (Partial<CallMedia> & { do: string })[]) {
	for (const more of all) engine.tell({ event: 'callMedia', call: 'c1', seat: 'here', ...more } as CallMedia);
	await seat.now();
	await Promise.resolve();
}
const said = (name: Command['do']) => engine.asked.filter((c) => c.do === name) as never as Record<string, unknown>[];

test('what is for another window does nothing here', async () => {
	await told({ do: 'open', seat: 'there' }, { do: 'create', seat: 'there' });
	expect([media.asked.length, made.length]).toEqual([0, 0]);
});

test('to open takes the microphone, and makes no connection', async () => {
	await told({ do: 'open' });
	expect(seat.capture.audio?.kind).toBe('audio');
	expect(media.asked).toHaveLength(1);
	expect(media.asked[0]!.video).toBeFalsy();
	expect(made).toHaveLength(0);
});

test('a caller describes what it sends, and its addresses follow its description', async () => {
	await told({ do: 'open', video: true }, { do: 'create', servers: [{ urls: ['turn:x'], username: 'u', credential: 'p' }], relayOnly: true }, { do: 'offer' });
	expect(made[0]!.configuration).toEqual({ iceServers: [{ urls: ['turn:x'], username: 'u', credential: 'p' }], iceTransportPolicy: 'relay' });
	expect(said('callDescribed')).toEqual([{ do: 'callDescribed', call: 'c1', sdp: 'audio sendrecv sends\nvideo sendrecv sends' }]);
	const order = engine.asked.map((c) => c.do);
	expect(order).toEqual(['callDescribed', 'callAddress']);
});

test('a callee that accepts with its voice alone keeps a place for its picture, and sends none', async () => {
	await told({ do: 'open' }, { do: 'create' }, { do: 'remote', type: 'offer', sdp: 'audio\nvideo' }, { do: 'answer' });
	expect(said('callDescribed')[0]!.sdp).toBe('audio sendrecv sends\nvideo sendrecv silent');
	expect(seat.seen).toBe(true);
	expect(await seat.light()).toBe(true);
	expect(made[0]!.transceivers[1]!.sender.track?.kind).toBe('video');
	expect(made).toHaveLength(1);
});

test('addresses that come before their description wait for it', async () => {
	await told({ do: 'open' }, { do: 'create' }, { do: 'offer' }, { do: 'address', mid: '0', candidate: 'candidate:9' });
	expect(made[0]!.added).toEqual([]);
	await told({ do: 'remote', type: 'answer', sdp: 'audio' }, { do: 'address', mid: '0', candidate: '' });
	expect(made[0]!.added).toEqual([{ sdpMid: '0', candidate: 'candidate:9' }, undefined]);
});

test('that it is connected is told, and a long dip or another network asks for another way', async () => {
	vi.useFakeTimers();
	await told({ do: 'open' }, { do: 'create' }, { do: 'offer' });
	made[0]!.become('connected');
	expect(said('callConnected')).toHaveLength(1);
	made[0]!.become('disconnected');
	made[0]!.become('connected');
	vi.advanceTimersByTime(60_000);
	expect(said('callNetwork')).toHaveLength(0);
	dispatchEvent(new Event('online'));
	expect(said('callNetwork')).toHaveLength(1);
	made[0]!.become('failed');
	expect(said('callNetwork')).toHaveLength(2);
	await told({ do: 'offer', restart: true });
	expect(made[0]!.restarts).toBe(1);
	made[0]!.become('connecting');
	vi.advanceTimersByTime(60_000);
	expect(said('callFailed')).toHaveLength(1); // no way was found
});

test('video is added to a call that had none; what is shown of the screen is what goes', async () => {
	await told({ do: 'open' }, { do: 'create' }, { do: 'offer' }, { do: 'remote', type: 'answer', sdp: 'audio' });
	expect(await seat.light()).toBe(false);
	expect(await seat.share()).toBe('add');
	const screen = seat.capture.video;
	await told({ do: 'camera' }, { do: 'offer' });
	expect(seat.capture.video).toBe(screen);
	expect(said('callDescribed').at(-1)!.sdp).toBe('audio sendrecv sends\nvideo sendrecv sends');
	expect(media.live).toBe(2); // and no camera
});

test('muted is at once for the microphone, and lets the camera go; the end of it opens nothing', async () => {
	await told({ do: 'open', video: true }, { do: 'create' }, { do: 'offer' });
	await told({ do: 'mute', audio: true, video: true });
	expect(seat.capture.audio!.enabled).toBe(false);
	expect(seat.capture.video).toBeUndefined();
	expect(made[0]!.transceivers[1]!.sender.track).toBeNull();
	expect(media.live).toBe(1);
	await told({ do: 'mute' });
	expect(seat.capture.audio!.enabled).toBe(true);
	expect(media.live).toBe(1);
});

test('at the end nothing is open any more', async () => {
	await told({ do: 'open', video: true }, { do: 'create' }, { do: 'offer' }, { do: 'remote', type: 'answer', sdp: 'audio\nvideo' });
	made[0]!.become('connected');
	await told({ do: 'close' });
	expect([media.live, made[0]!.closed, seat.state, seat.seen, seat.theirs.video]).toEqual([0, true, 'new', false, undefined]);
	made[0]!.become('failed');
	dispatchEvent(new Event('online'));
	expect(said('callNetwork')).toHaveLength(0);
});

test('a call that ends while one is asked for the microphone leaves none open', async () => {
	let let_in = () => {};
	media.wait = new Promise((go) => (let_in = go));
	await Promise.race([told({ do: 'open', video: true }), Promise.resolve()]);
	engine.tell({ event: 'callMedia', call: 'c1', seat: 'here', do: 'close' } as CallMedia);
	let_in();
	await seat.now();
	expect(media.given).toHaveLength(2);
	expect(media.live).toBe(0);
	expect(seat.capture.audio).toBeUndefined();
});

test('without a microphone there is no call, without a camera there is one', async () => {
	media.refuses = (what) => (what.video ? 'NotFoundError' : '');
	await told({ do: 'open', video: true });
	expect([seat.capture.audio?.kind, seat.capture.video, seat.capture.blind]).toEqual(['audio', undefined, 'missing']);
	await told({ do: 'close' });
	media.refuses = () => 'NotAllowedError';
	await told({ do: 'open', video: true });
	expect(said('callFailed')).toHaveLength(1);
	expect((wrong[0] as DOMException).name).toBe('NotAllowedError');
	expect(media.live).toBe(0);
});

test('what cannot be read of theirs ends the call here', async () => {
	await told({ do: 'open' }, { do: 'create' }, { do: 'remote', type: 'offer', sdp: 'nonsense' }, { do: 'answer' });
	expect(said('callFailed').length).toBeGreaterThan(0);
});

test('a screen that is shared no more by the browser’s own button is told of', async () => {
	await told({ do: 'open', video: true }, { do: 'create' }, { do: 'offer' });
	let over = 0;
	seat.darkened = () => over++;
	await seat.share();
	(seat.capture.video as unknown as FakeTrack).onended!();
	expect([seat.capture.video, over]).toEqual([undefined, 1]);
});

test('another microphone takes the place of the one that is used, as quiet as that was', async () => {
	await told({ do: 'open' }, { do: 'create' }, { do: 'offer' }, { do: 'mute', audio: true });
	const before = seat.capture.audio;
	await seat.choose('audioinput', 'desk');
	expect(media.asked.at(-1)!.audio).toMatchObject({ deviceId: { ideal: 'desk' } });
	expect(seat.capture.audio).not.toBe(before);
	expect(before!.readyState).toBe('ended');
	expect(seat.capture.audio!.enabled).toBe(false);
	expect(made[0]!.transceivers[0]!.sender.track).toBe(seat.capture.audio);
	expect(new Picks(media as unknown as MediaDevices).chosen('audioinput')).toBe('desk');
});
