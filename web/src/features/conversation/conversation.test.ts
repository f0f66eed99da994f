import { expect, test } from 'vitest';
import type { Message } from '../../port/types';
import { directionOf, endsOnTimesSide } from './direction';
import { toggled } from './reactions';
import { rowsOf } from './rows';
import { begun, blocksOf, spansOf, type Span } from './styling';

const message = (id: string, minute: number, more: Partial<Message> = {}): Message => ({
	id, chat: 'c', sender: 'bob', time: new Date(2026, 10, 22, 10, minute).toISOString(), delivery: 'received', lock: { state: 'locked' }, ...more,
});
const flat = (spans: Span[]): string =>
	spans.map((s) => (s.kind === 'text' ? s.text : s.kind === 'link' ? `<${s.href}>` : s.kind === 'code' ? `code(${s.text})` : `${s.kind}(${flat(s.spans)})`)).join('');

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
	const many = (part: string, size = 60_000) => part.repeat(size / part.length);
	for (const hostile of [many('*_~`'), many('*a '), many('~a _b *c '), many('http://a.b '), many('*http://a.b '), `http://${many('.')}a`, `http://${many(',(')}`, many('* '), many('\u0301'), many('a*b')]) {
		const bare = (text: string) => text.replace(/[*_~`]/g, '');
		expect(bare(words(spansOf(hostile))) === bare(hostile), hostile.slice(0, 20)).toBe(true);
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
