// A message's text as nodes: the styling of XEP-0393, links, and the names of who is spoken to.
// It never becomes HTML. The signs of styling stay in the text, as 0393 wishes for quotes and
// code; spans lose theirs, for that is what people know.

import type { Names } from './named';

export type Span =
	| { kind: 'text'; text: string }
	| { kind: 'code'; text: string }
	| { kind: 'link'; text: string; href: string }
	| { kind: 'name'; text: string; own: boolean }
	| { kind: 'strong' | 'emphasis' | 'strike'; spans: Span[] };

export type Block = { kind: 'line'; spans: Span[] } | { kind: 'code'; text: string } | { kind: 'quote'; blocks: Block[] };

const deepest = 6; // quotes in quotes; a message is somebody else's

const most = { letters: 3000, lines: 60 };

/** begun is what is shown of a text until somebody wants all of it: one as long as a book would hold the screen. */
export function begun(text: string): string {
	const lines = text.slice(0, most.letters).split('\n', most.lines).join('\n');
	return lines.length === text.length ? text : `${lines.replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** blocksOf parses a whole message, in which these people may be spoken to. */
export function blocksOf(text: string, names?: Names, depth = 0): Block[] {
	const lines = text.split('\n');
	const blocks: Block[] = [];
	for (let i = 0; i < lines.length; i++) {
		const line = lines[i]!;
		if (line.startsWith('```')) {
			// XEP-0393 §5.1.2: to the closing fence, or to the end where there is none
			const end = lines.indexOf('```', i + 1);
			const code = lines.slice(i + 1, end < 0 ? undefined : end);
			blocks.push({ kind: 'code', text: code.join('\n') });
			i = end < 0 ? lines.length : end;
		} else if (line.startsWith('>') && depth < deepest) {
			// XEP-0393 §5.1.3
			let end = i;
			while (lines[end + 1]?.startsWith('>')) end++;
			const inner = lines.slice(i, end + 1).map((l) => l.slice(1).replace(/^ /, ''));
			blocks.push({ kind: 'quote', blocks: blocksOf(inner.join('\n'), names, depth + 1) });
			i = end;
		} else {
			blocks.push({ kind: 'line', spans: spansOf(line, names) });
		}
	}
	return blocks;
}

const styles = { '*': 'strong', _: 'emphasis', '~': 'strike' } as const;
const address = /https?:\/\/[^\s<>"'`\u200E\u200F\u202A-\u202E\u2066-\u2069]+/giu;

/** spansOf parses one line. */
export function spansOf(line: string, names?: Names): Span[] {
	const links = [...line.matchAll(address)].map((m) => linked(m.index, m[0])).filter((l) => l !== undefined);
	const spans = styled(line, 0, line.length, new Map(links.map((l) => [l.from, l])));
	return names && line.includes('@') ? spans.flatMap((s) => spoken(s, names)) : spans;
}

// spoken is a span with the names in its texts as spans of their own.
function spoken(span: Span, names: Names): Span[] {
	if ('spans' in span) return [{ ...span, spans: span.spans.flatMap((s) => spoken(s, names)) }];
	if (span.kind !== 'text') return [span];
	const { text } = span;
	const parts: Span[] = [];
	let at = 0;
	for (const { from, to, own } of names.in(text)) {
		if (from > at) parts.push({ kind: 'text', text: text.slice(at, from) });
		parts.push({ kind: 'name', text: text.slice(from, to), own });
		at = to;
	}
	if (at < text.length) parts.push({ kind: 'text', text: text.slice(at) });
	return parts;
}

interface Link {
	from: number;
	to: number;
	href: string;
}
type Links = ReadonlyMap<number, Link>; // by where they begin

// linked is an address without the marks that end the sentence around it.
function linked(from: number, found: string): Link | undefined {
	let end = found.length; // and no pattern with + and $, which looks again from each of a thousand dots
	while (end > 0 && '.,;:!?*_~،؛؟…'.includes(found[end - 1]!)) end--;
	let text = found.slice(0, end);
	if (text.endsWith(')') && !text.includes('(')) text = text.slice(0, -1);
	try {
		return { from, to: from + text.length, href: new URL(text).href };
	} catch {
		return undefined;
	}
}

function styled(line: string, from: number, to: number, links: Links): Span[] {
	const spans: Span[] = [];
	let start = from; // of the plain text that is not pushed yet
	const without = new Set<string>(); // signs that nothing closes from here on: a line of them costs one look
	const flush = (end: number) => {
		if (end > start) spans.push({ kind: 'text', text: line.slice(start, end) });
	};
	for (let i = from; i < to; ) {
		const found = links.get(i);
		const link = found && found.to <= to ? found : undefined;
		const end = link ? link.to : closing(line, i, from, to, links, without);
		if (end < 0) {
			i++;
			continue;
		}
		flush(i);
		spans.push(link ? { kind: 'link', text: line.slice(i, end), href: link.href } : inside(line, i, end, links));
		i = start = end;
	}
	flush(to);
	return spans;
}

// inside is the span that begins at i and ends before end, both with their signs.
function inside(line: string, i: number, end: number, links: Links): Span {
	if (line[i] === '`') return { kind: 'code', text: line.slice(i + 1, end - 1) };
	return { kind: styles[line[i] as '*'], spans: styled(line, i + 1, end - 1, links) };
}

// closing is where the span ends that begins at i, -1 where none begins. XEP-0393 §5.2: the
// sign stands at the start, after blank or after another sign, no blank follows it; the
// closing one has no blank before it, and there is something between them.
function closing(line: string, i: number, from: number, to: number, links: Links, without: Set<string>): number {
	const sign = line[i]!;
	if (!'*_~`'.includes(sign) || without.has(sign)) return -1;
	const before = i > from ? line[i - 1]! : ' ';
	if (!/[\s*_~`([{"'«]/u.test(before) || /\s/u.test(line[i + 1] ?? ' ') || line[i + 1] === sign) return -1;
	for (let j = i + 1; j < to; j++) {
		if (sign !== '`' && links.has(j)) j = links.get(j)!.to; // an address is whole
		if (j > i + 1 && j < to && line[j] === sign && !/\s/u.test(line[j - 1]!)) return j + 1;
	}
	without.add(sign);
	return -1;
}
