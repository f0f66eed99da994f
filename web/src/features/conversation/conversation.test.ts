import { expect, test } from 'vitest';
import { FakeEngine } from '../../port/fake';
import type { History, Message } from '../../port/types';
import { directionOf, endsOnTimesSide } from './direction';
import { Names } from './named';
import { reacting, toggled } from './reactions';
import { albumOf, rowOf, rowsOf } from './rows';
import { begun, blocksOf, spansOf, type Span } from './styling';
import { ToDate } from './todate.svelte';

const message = (id: string, minute: number, more: Partial<Message> = {}): Message => ({
	id, chat: 'c', sender: 'bob', time: new Date(2026, 10, 22, 10, minute).toISOString(), delivery: 'received', lock: { state: 'locked' }, ...more,
});
const flat = (spans: Span[]): string =>
	spans.map((s) => (s.kind === 'text' ? s.text : s.kind === 'link' ? `<${s.href}>` : s.kind === 'code' ? `code(${s.text})` : s.kind === 'name' ? `${s.own ? 'me' : 'name'}(${s.text})` : `${s.kind}(${flat(s.spans)})`)).join('');

test('messages of one sender within minutes stand together', () => {
	const rows = rowsOf([message('a', 0), message('b', 1), message('c', 20), message('d', 21, { sender: 'me', mine: true })]);
	const groups = rows.filter((r) => r.kind === 'message').map((r) => `${r.key}${r.first ? 'F' : ''}${r.last ? 'L' : ''}`);
	expect(rows[0]!.kind).toBe('day');
	expect(groups).toEqual(['aF', 'bL', 'cFL', 'dFL']);
});

test('days, notices and the unread line part what stands together', () => {
	const rows = rowsOf([message('a', 0), message('n', 0, { notice: 'invited' }), message('b', 1), message('c', 60 * 24)], 'b');
	expect(rows.map((r) => r.kind)).toEqual(['day', 'message', 'notice', 'unread', 'message', 'day', 'message']);
	expect(new Set(rows.map((r) => r.key)).size).toBe(rows.length);
});

const photo = (id: string, minute: number, file: Partial<NonNullable<Message['file']>> = {}, more: Partial<Message> = {}) =>
	message(id, minute, { file: { name: 'photo.jpg', state: 'here', ...file }, ...more });
const bubbles = (messages: Message[], unread?: string) =>
	rowsOf(messages, unread).flatMap((r) => (r.kind === 'message' ? [r.all.map((x) => x.id).join('') + (r.message.text ? `:${r.message.text}` : '')] : r.kind === 'unread' ? ['|'] : []));

test('a file and its caption are one bubble, wherever the caption stands behind it', () => {
	const said = { caption: 'c', text: 'the sea' };
	const words = message('c', 1, { text: 'the sea', edited: true, delivery: 'sent' });
	expect(bubbles([photo('p', 0, said), words, message('x', 2, { text: 'x' })])).toEqual(['pc:the sea', 'x:x']);
	expect(bubbles([photo('p', 0, said), message('x', 1, { text: 'x', sender: 'eve' }), words])).toEqual(['pc:the sea', 'x:x']);
	expect(bubbles([photo('p', 0, said)])).toEqual(['p:the sea']); // the caption is of a page that is not here
	expect(bubbles([photo('p', 0, { text: 'on its way', state: 'sending' })])).toEqual(['p:on its way']);
	const rows = rowsOf([photo('p', 0, said), words], 'c');
	expect(rows.map((r) => r.kind)).toEqual(['day', 'unread', 'message']);
	expect(rowOf(rows, 'c')).toBe(rowOf(rows, 'p'));
	expect(rows[2]).toMatchObject({ key: 'p', message: { id: 'p', edited: true, delivery: 'sent' } });
});

test('words that only follow a file, and those of somebody else, are a bubble of their own', () => {
	expect(bubbles([photo('p', 0), message('c', 0, { text: 'by another program' })])).toEqual(['p', 'c:by another program']);
	expect(bubbles([photo('p', 0, { caption: 'c' }), message('c', 0, { text: 'x', sender: 'eve' })])).toEqual(['p', 'c:x']);
	expect(bubbles([photo('p', 0, { caption: 'c' }), photo('c', 0)])).toEqual(['p', 'c']);
});

test('pictures that were sent at once are one bubble, with the words behind the last', () => {
	const album = { album: 'w' };
	const three = [photo('a', 0, album), photo('b', 1, album), photo('d', 2, { ...album, caption: 'c', text: 'skies' })];
	expect(bubbles([...three, message('c', 3, { text: 'skies' })])).toEqual(['abdc:skies']);
	expect(bubbles([...three, photo('e', 3, album)])).toEqual(['abd:skies', 'e']);
	expect(bubbles([photo('a', 0, album), message('x', 0, { text: 'x' }), photo('b', 1, album)])).toEqual(['a', 'x:x', 'b']);
	expect(bubbles([photo('a', 0, album), photo('b', 0, { album: 'v' }), photo('d', 0, album, { sender: 'eve' })])).toEqual(['a', 'b', 'd']);
	expect(bubbles([photo('a', 0, album), photo('b', 0, { ...album, name: 'plan.pdf' })])).toEqual(['a', 'b']);
	expect(bubbles([photo('a', 0, album), photo('b', 60 * 24, album)])).toEqual(['a', 'b']);
	expect(bubbles(three, 'b')).toEqual(['|', 'abd:skies']);
	expect(albumOf(three).length).toBe(3);
	expect(albumOf(three.slice(2))).toEqual([]);
});

test('a bubble of several has come as far as the last of them, and what was deleted at once is one line', () => {
	const all = [photo('a', 0, { album: 'w' }, { mine: true, delivery: 'read' }), photo('b', 0, { album: 'w' }, { mine: true, delivery: 'failed', failure: 'no', starred: true })];
	expect(rowsOf(all)[1]).toMatchObject({ message: { id: 'a', delivery: 'failed', failure: 'no', starred: true } });
	const gone = { retracted: true };
	expect(bubbles([message('a', 0, gone), message('b', 0, gone), message('c', 0, { ...gone, sender: 'eve' }), message('d', 0)])).toEqual(['ab', 'c', 'd']);
});

test('a sign is given to what stands for the bubble, and taken back wherever it was given', () => {
	const mine = [{ emoji: '👍', who: ['me'], mine: true }];
	const all = [photo('a', 0, { album: 'w' }, { reactions: mine }), photo('b', 0, { album: 'w' }, { reactions: [...mine, { emoji: '😂', who: ['bob'] }] })];
	expect(rowsOf(all)[1]).toMatchObject({ message: { reactions: [{ emoji: '👍', who: ['me'], mine: true }, { emoji: '😂', who: ['bob'] }] } });
	expect(reacting('a', all, '👍').map((r) => [r.message, r.emoji])).toEqual([['a', []], ['b', []]]);
	expect(reacting('a', all, '🙏').map((r) => [r.message, r.emoji])).toEqual([['a', ['👍', '🙏']]]);
});

test('spans are styled as XEP-0393 has it', () => {
	expect(flat(spansOf('a *b* _c_ ~d~ `e*f*`'))).toBe('a strong(b) emphasis(c) strike(d) code(e*f*)');
	expect(flat(spansOf('*a _b_ c*'))).toBe('strong(a emphasis(b) c)');
	expect(flat(spansOf('*عربي* و_مائل_'))).toBe('strong(عربي) و_مائل_');
});

test('what only looks like styling stays as it is', () => {
	for (const text of ['2 * 3 * 4', '*not *', '* a*', 'snake_case_name', '**', '***', '*open', 'a*b*c', '']) {
		expect(flat(spansOf(text))).toBe(text);
	}
});

test('links are http addresses, without the marks of the sentence', () => {
	expect(flat(spansOf('see https://x.org/a_b_c, or (http://y.org).'))).toBe('see <https://x.org/a_b_c>, or (<http://y.org/>).');
	expect(flat(spansOf('https://w.org/a_(b)'))).toBe('<https://w.org/a_(b)>');
	expect(flat(spansOf('javascript:alert(1) data:text/html,x'))).toBe('javascript:alert(1) data:text/html,x');
	expect(flat(spansOf('*https://x.org/*'))).toBe('strong(<https://x.org/>)');
});

test('who is spoken to stands out, oneself more, and who is not there does not', () => {
	const names = new Names(['alice', 'Alice Liddell', ''], ['bob', 'بوب', 'Bob Sawyer', 'İlk', 'a.b']);
	const named = (text: string) => flat(spansOf(text, names));
	expect(named('@bob, and @Alice!')).toBe('name(@bob), and me(@Alice)!');
	expect(named('@bob sawyer @alice liddell')).toBe('name(@bob sawyer) me(@alice liddell)');
	expect(named('(@a.b) *@bob* ~_@alice_~')).toBe('(name(@a.b)) strong(name(@bob)) strike(emphasis(me(@alice)))');
	expect(named('أهلاً @بوب، كيف الحال؟')).toBe('أهلاً name(@بوب)، كيف الحال؟');
	for (const text of ['@bobby', 'x@bob', '@bob_', '@bob\u0301', '@nobody', '@ bob', '@', 'bob']) expect(named(text)).toBe(text);
	expect(named('`@bob` https://x.org/@bob')).toBe('code(@bob) <https://x.org/@bob>');
	expect(blocksOf('> @bob', names)).toEqual([{ kind: 'quote', blocks: [{ kind: 'line', spans: [{ kind: 'name', text: '@bob', own: false }] }] }]);
});

test('blocks are code to its fence, and quotes in quotes to a depth', () => {
	expect(blocksOf('a\n```\n*b*\n```\nc').map((b) => b.kind)).toEqual(['line', 'code', 'line']);
	expect(blocksOf('```\nopen').map((b) => b.kind)).toEqual(['code']);
	const [quote] = blocksOf('> a\n>> b\nc');
	expect(quote).toMatchObject({ kind: 'quote', blocks: [{ kind: 'line' }, { kind: 'quote' }] });
	let depth = 0;
	for (let b = blocksOf('>'.repeat(5000) + 'x'); b[0]?.kind === 'quote'; b = b[0].blocks) depth++;
	expect(depth).toBeLessThanOrEqual(7);
});

test('a long text is begun, and an ordinary one is whole', () => {
	for (const text of ['', 'hello', 'line\n'.repeat(59), 'x'.repeat(3000)]) expect(begun(text)).toBe(text);
	expect(begun('x'.repeat(3001))).toBe(`${'x'.repeat(3000)}…`);
	expect(begun('a\n'.repeat(80)).split('\n')).toHaveLength(60);
	expect(begun(`${'x'.repeat(2999)}😀y`)).toBe(`${'x'.repeat(2999)}…`);
});

test('a hostile text does not take long, and none of it is lost', () => {
	const words = (list: Span[]): string => list.map((s) => ('spans' in s ? words(s.spans) : s.text)).join('');
	const crowd = new Names(['a'], Array.from({ length: 300 }, (_, i) => 'a'.repeat(i % 90) + i));
	const many = (part: string, size = 60_000) => part.repeat(size / part.length);
	for (const hostile of [many('*_~`'), many('*a '), many('~a _b *c '), many('http://a.b '), many('*http://a.b '), `http://${many('.')}a`, `http://${many(',(')}`, many('* '), many('\u0301'), many('a*b'), many('@'), many('@a '), many('@a')]) {
		const bare = (text: string) => text.replace(/[*_~`]/g, '');
		expect(bare(words(spansOf(hostile, crowd))) === bare(hostile), hostile.slice(0, 20)).toBe(true);
	}
	for (const hostile of [many('```\na\n'), many('```\n```\n'), many('>\n'), many('> > > > > > > >\n'), many('\n')]) expect(blocksOf(hostile).length).toBeGreaterThan(0);
});

test('the direction of the last line is that of its first letter', () => {
	expect(directionOf('hello\nمرحبا', 'ltr')).toBe('rtl');
	expect(directionOf('123 مرحبا hello', 'ltr')).toBe('rtl');
	expect(directionOf('123 🙂', 'rtl')).toBe('rtl');
});

test('the time has a line of its own under a text that turns what follows it', () => {
	expect(endsOnTimesSide('hello', 'ltr')).toBe(true);
	expect(endsOnTimesSide('مرحبا', 'ltr')).toBe(false);
	expect(endsOnTimesSide('see \u202Egnp.exe', 'ltr')).toBe(false);
	expect(endsOnTimesSide('\u2067see', 'ltr')).toBe(false);
	expect(endsOnTimesSide('رقمي \u200E0501234567', 'rtl')).toBe(true);
	expect(endsOnTimesSide('```\ncode\n```', 'ltr')).toBe(false);
});

test('a reaction is given, and taken back', () => {
	const m = message('a', 0, { reactions: [{ emoji: '👍', who: ['me'], mine: true }, { emoji: '❤️', who: ['bob'] }] });
	expect(toggled(m, '👍')).toEqual([]);
	expect(toggled(m, '❤️')).toEqual(['👍', '❤️']);
});

test('a day far back is read towards until it is reached', async () => {
	const reached = ['2026-03-01T00:00:00Z', '2025-06-01T00:00:00Z', undefined];
	const engine = new FakeEngine({ history: (_: History) => ({ event: 'page', messages: [], around: 'm1', back: reached.shift() }) });
	const search = new ToDate(engine, 'c');
	expect(await search.find(new Date(2025, 0, 2))).toBe('m1');
	expect(engine.asked).toEqual(Array(3).fill({ do: 'history', chat: 'c', at: new Date(2025, 0, 2).toISOString(), limit: 1 }));
	expect([search.looking, search.back, search.failure]).toEqual([false, undefined, undefined]);
});

test('reading back is given up when one says so, goes wrong, or gets no further', async () => {
	const search: ToDate = new ToDate(new FakeEngine({ history: () => (search.cancel(), { event: 'page', messages: [], around: 'm1', back: 'x' }) }), 'c');
	expect([await search.find(new Date(0)), search.looking]).toEqual([undefined, false]);
	const stuck = new ToDate(new FakeEngine({ history: () => ({ event: 'page', messages: [], around: 'm1', back: 'x' }) }), 'c');
	expect(await stuck.find(new Date(0))).toBe('m1');
	const broken = new ToDate(new FakeEngine({ history: () => ({ event: 'page', messages: null, failure: { code: 'internal', text: '' } }) }), 'c');
	expect([await broken.find(new Date(0)), broken.failure?.code]).toEqual([undefined, 'internal']);
});
