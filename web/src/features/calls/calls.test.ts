import { readdirSync, readFileSync } from 'node:fs';
import { beforeEach, expect, test, vi } from 'vitest';
import { speak } from '../../i18n';
import { Settings } from '../../model/settings.svelte';
import type { Call } from '../../port/types';
import { nearest, corners } from './corners';
import { Live } from './live.svelte';
import { Log } from './log.svelte';
import { callOf } from './noticed';
import { between, counted, levelOf } from './quality.svelte';
import { Ringer } from './ringer';
import { endWords, entryWords, lasted, lockWords, sorryWords, spokenWords } from './words';

const call = (more: Partial<Call> = {}): Call => ({ id: 'c1', chat: 'bob@example.org', state: 'incoming', at: '2026-01-01T10:00:00Z', muted: {}, theirMuted: {}, ...more });

beforeEach(() => {
	localStorage.clear();
	const settings = new Settings();
	settings.locale = 'en';
	speak(settings);
});

// R13, R19
test('a peer connection is made in one place of all the screen, and asked for by the seat alone', () => {
	const sources = (readdirSync('src', { recursive: true }) as string[]).filter((f) => /\.(svelte|ts)$/.test(f) && !/test\.ts$|fakes\.ts$|paraglide/.test(f));
	const having = (what: RegExp) => sources.filter((f) => what.test(readFileSync(`src/${f}`, 'utf8')));
	expect(having(/new\s+(webkit)?RTCPeerConnection|RTCPeerConnection\s*\(|RTCPeerConnection[^\n]*(apply|construct|bind)/)).toEqual(['features/calls/peer.ts']);
	expect(having(/new Peer\(/)).toEqual(['features/calls/seat.svelte.ts']);
	expect(having(/\bmakes\b.*from '\.\/peer'/)).toEqual(['features/calls/seat.svelte.ts']);
});

test('what rings stands over all until it is put aside, answered or over', () => {
	const live = new Live();
	live.is(call());
	expect([live.asks?.id, live.stage, live.bar]).toEqual(['c1', undefined, undefined]);
	live.aside(live.asks!, true);
	expect([live.asks, live.bar?.id, live.large]).toEqual([undefined, 'c1', false]);
	live.is(call({ state: 'answering', seat: live.seat }));
	expect([live.stage?.id, live.bar, live.large]).toEqual(['c1', undefined, true]);
	live.is(call({ state: 'ended', why: 'hung-up', seat: live.seat }));
	expect([live.on, live.ringing, live.large, live.bar]).toEqual([undefined, undefined, false, undefined]);
});

test('a call of another window is a bar here', () => {
	const live = new Live();
	live.is(call({ state: 'active', seat: 'another' }));
	expect([live.stage, live.bar?.id, live.large]).toEqual([undefined, 'c1', false]);
});

test('a second call that rings is asked about over the one that was put aside', () => {
	const live = new Live();
	live.is(call({ state: 'active', seat: live.seat }));
	live.aside(live.on!, true);
	live.is(call({ id: 'c2', chat: 'carol@example.org' }));
	expect([live.asks?.id, live.stage, live.bar?.id]).toEqual(['c2', undefined, 'c1']);
});

test.each(['rejected', 'unanswered', 'failed', 'insecure'])('that a call of this window ended %s is said until somebody has read it', (why) => {
	const live = new Live();
	live.is(call({ state: 'calling', mine: true, seat: live.seat }));
	live.is(call({ state: 'ended', why, mine: true, seat: live.seat }));
	expect(sorryWords(live.sorry!, 'Bob')).toMatch(/\w/);
});

test.each([['hung-up', true], ['rejected', false]] as const)('a call that ended %s, with its seat here %s, asks for nothing', (why, here) => {
	const live = new Live();
	const seat = here ? live.seat : 'another';
	live.is(call({ state: 'active', seat }));
	live.is(call({ state: 'ended', why, seat }));
	expect(live.sorry).toBeUndefined();
});

test('calls of which a new engine does not know are over, and let go', () => {
	const live = new Live();
	const over: string[] = [];
	live.ended = (c) => over.push(c.id);
	live.is(call({ state: 'active', seat: live.seat }));
	live.only([call({ id: 'c2' })]);
	expect([over, live.on, live.asks?.id]).toEqual([['c1'], undefined, 'c2']);
	expect(live.sorry?.call?.why).toBe('failed');
});

test('what was over before it was heard of rings nowhere', () => {
	const live = new Live();
	let ends = 0;
	live.ended = () => ends++;
	live.is(call({ state: 'ended', why: 'missed', late: true }));
	expect([live.large, ends]).toEqual([false, 0]);
});

test('missed calls count until they were looked at, in all windows', () => {
	const log = new Log();
	const now = new Date(Date.now() + 60_000).toISOString();
	log.calls = [call({ state: 'ended', why: 'missed', at: now }), call({ id: 'old', state: 'ended', why: 'missed', at: '2020-01-01T00:00:00Z' }), call({ id: 's', state: 'ended', why: 'missed', at: now, silent: 'stranger' })];
	expect(log.missed.map((c) => c.id)).toEqual(['c1']);
	vi.spyOn(Date, 'now').mockReturnValue(Date.parse(now) + 1);
	log.look();
	vi.restoreAllMocks();
	expect(log.missed).toEqual([]);
	expect(new Log().fresh(log.calls[0]!)).toBe(false);
	expect([log.ended.length, log.silent.length]).toEqual([2, 1]);
});

test('how long one spoke is told in minutes, and in hours', () => {
	const spoken = (seconds: number) => lasted(seconds, 'en').replace(/[\u2066\u2069]/g, '');
	expect([spoken(0), spoken(65), spoken(3600), spoken(3725), spoken(4500)]).toEqual(['0:00', '1:05', '1:00:00', '1:02:05', '1:15:00']);
	expect(lasted(65, 'ar-u-nu-arab')).toContain('١:٠٥');
	expect([0.4, 40, 754, 3600, 3900].map((s) => spokenWords(s, 'en'))).toEqual(['1 sec', '40 sec', '13 min', '1 hr', '1 hr 5 min']);
});

test('how a call ended is said in words', () => {
	const spoke = { answered: '2026-01-01T10:00:00Z', ended: '2026-01-01T10:01:05Z' };
	expect(endWords(call({ why: 'peer-hung-up', ...spoke }), 'Bob', 'en')).toContain('1:05');
	expect(endWords(call({ why: 'missed' }), 'Bob', 'en')).toBe('Missed call from \u2068Bob\u2069');
	expect(endWords(call({ why: 'cancelled' }), 'Bob', 'en')).toBe('');
	expect(entryWords(call({ why: 'missed' }), 'en')).toBe('Missed');
	expect(entryWords(call({ why: 'hung-up', mine: true, ...spoke }), 'en')).toBe('1 min');
	expect(entryWords(call({ why: 'something new', mine: true }), 'en')).toBe('Outgoing');
});

test('a lock says no more than is known', () => {
	expect(lockWords(undefined, 'Bob').icon).toBe('clock');
	expect(lockWords({ state: 'locked' }, 'Bob').icon).toBe('lock');
	expect(lockWords({ state: 'verified' }, 'Bob').icon).toBe('shield');
	for (const state of ['open', 'changed', 'broken'] as const) expect(lockWords({ state }, 'Bob').icon).toBe('unlock');
});

test('a line of a conversation says which call it was', () => {
	const of = callOf({ params: ['c9', 'theirs', 'video', 'peer-hung-up', '65'], time: '2026-01-01T10:00:00Z' });
	expect(of).toMatchObject({ id: 'c9', mine: false, video: true, why: 'peer-hung-up' });
	expect(entryWords(of, 'en')).toBe('1 min');
	expect(callOf({ time: '2026-01-01T10:00:00Z' })).toMatchObject({ id: '', video: false });
});

test('what is lost and late is found between two looks', () => {
	const stats = (received: number, lost: number, rtt: number) => [
		{ id: 'a', type: 'inbound-rtp', packetsReceived: received, packetsLost: lost, bytesReceived: received * 100 },
		{ id: 't', type: 'transport', selectedCandidatePairId: 'p' },
		{ id: 'p', type: 'candidate-pair', currentRoundTripTime: rtt, localCandidateId: 'l', remoteCandidateId: 'r' },
		{ id: 'l', type: 'local-candidate', candidateType: 'relay' },
		{ id: 'r', type: 'remote-candidate', candidateType: 'host' },
	];
	const before = counted(stats(100, 0, 0.05), 1000);
	const well = between(before, counted(stats(200, 1, 0.05), 3000));
	expect(well).toMatchObject({ delay: 50, relayed: true, rate: 40_000 });
	expect(levelOf(well, 'connected')).toBe('good');
	expect(levelOf(between(before, counted(stats(180, 20, 0.05), 3000)), 'connected')).toBe('weak');
	expect(levelOf(between(before, counted(stats(200, 0, 0.9), 3000)), 'connected')).toBe('weak');
	expect(levelOf(well, 'disconnected')).toBe('lost');
	expect(between(undefined, before).loss).toBeUndefined();
	expect(counted([{ id: 'x', type: 'inbound-rtp', packetsReceived: 'many' }], 1)).toMatchObject({ received: 0 });
});

test('one’s own picture goes to the corner where it is let go, from whichever side lines run', () => {
	const around = { width: 400, height: 800 };
	expect(corners[nearest({ x: 350, y: 700 }, around, false)]).toBe('low-end');
	expect(corners[nearest({ x: 350, y: 700 }, around, true)]).toBe('low-start');
	expect(corners[nearest({ x: 10, y: 10 }, around, true)]).toBe('high-end');
});

test('of several windows one rings, and none when it is over', async () => {
	const open: string[] = [];
	const sound = (name: string) => () => (open.push(name), { state: 'running', currentTime: 0, destination: {}, createOscillator: part, createGain: part, close: async () => void open.splice(open.indexOf(name), 1) }) as unknown as AudioContext;
	const part = (): unknown => ({ frequency: {}, gain: { setValueAtTime() {}, linearRampToValueAtTime() {} }, connect: part, start() {}, stop() {} });
	let held = Promise.resolve();
	vi.stubGlobal('navigator', {
		...navigator,
		locks: { request: (_: string, { signal }: { signal: AbortSignal }, run: () => Promise<void>) => (held = held.then(() => (signal.aborted ? undefined : run()))) },
	});
	const [one, two] = [new Ringer(sound('one')), new Ringer(sound('two'))];
	one.ring('here');
	two.ring('here');
	await Promise.resolve();
	expect(open).toEqual(['one']);
	one.stop();
	two.stop();
	await held;
	expect([open, one.rings, two.rings]).toEqual([[], false, false]);
	vi.unstubAllGlobals();
});
