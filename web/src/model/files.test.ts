import { expect, test, vi } from 'vitest';
import { FakeEngine } from '../port/fake';
import type { File as Sent, Message } from '../port/types';
import { Files, pixels } from './files.svelte';

const message = (file: Partial<Sent>): Message => ({
	id: 'm1', chat: 'bob@localhost', sender: 'bob@localhost', time: '2026-01-01T10:00:00Z', delivery: 'received', lock: { state: 'locked' },
	file: { name: 'photo.jpg', state: 'remote', ...file },
});

test('what comes unasked comes once, and is given up when it proves too large', async () => {
	let arrive = (_: object) => {};
	const engine = new FakeEngine({ fetch: () => new Promise((resolve) => (arrive = resolve)) });
	const files = new Files(engine);
	const coming = files.fetchSmall(message({ size: -1 }), 1000);
	engine.tell({ event: 'progress', message: 'm1', done: 10, total: 2000 });
	expect(engine.asked.at(-1)).toEqual({ do: 'cancel', message: 'm1' });
	arrive({ event: 'done', failure: { code: 'canceled', text: '' } });
	await coming;
	expect(files.wrong('m1')).toBeUndefined();
	await files.fetchSmall(message({ size: -1 }), 1000);
	expect(engine.asked.filter((c) => c.do === 'fetch')).toHaveLength(1);
});

test('what is known to be too large is not begun unasked, and is fetched when asked for', async () => {
	const engine = new FakeEngine();
	const files = new Files(engine);
	await files.fetchSmall(message({ size: 5000 }), 1000);
	expect(engine.asked).toEqual([]);
	expect(await files.fetch(message({ size: 5000 }))).toBe(true);
});

test('a file that the browser has taken away is fetched again, once, and saved from what has come', async () => {
	const again = { ...message({ state: 'here', path: 'files/2' }) };
	const engine = new FakeEngine({ history: () => ({ event: 'page', messages: [again] }) });
	engine.file = (async (path: string) => (path === 'files/2' ? new File(['x'], 'x') : null)) as never;
	const files = new Files(engine);
	const lost = message({ state: 'here', path: 'files/1' });
	expect(await files.address(lost)).toBe('');
	await files.address({ ...lost, file: { ...lost.file!, path: 'files/3' } });
	expect(engine.asked).toEqual([{ do: 'fetch', chat: 'bob@localhost', message: 'm1' }]);
	vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => {});
	expect(await files.save(lost)).toBe(true);
	await new Files(engine).address(message({ state: 'sending', path: 'files/1' }));
	expect(engine.asked.filter((c) => c.do === 'fetch')).toHaveLength(2);
});

test('a failure is kept until it is tried again', async () => {
	const answers: object[] = [{ event: 'done', failure: { code: 'unreachable', text: '' } }, { event: 'done' }];
	const files = new Files(new FakeEngine({ fetch: () => answers.shift()! }));
	expect(await files.fetch(message({}))).toBe(false);
	expect(files.wrong('m1')?.code).toBe('unreachable');
	await files.fetch(message({}));
	expect(files.wrong('m1')).toBeUndefined();
});

test('a file that is to be sent and is given up is not there any more', async () => {
	const engine = new FakeEngine();
	const files = new Files(engine);
	await files.cancel(message({ state: 'sending' }));
	expect(engine.asked).toEqual([{ do: 'deleteForMe', chat: 'bob@localhost', messages: ['m1'] }]);
});

test('a page that calls itself a picture gets no address to be drawn from', async () => {
	const engine = new FakeEngine();
	engine.file = (async () => new File(['<svg onload="alert(1)">'], 'x')) as never;
	const made = vi.spyOn(URL, 'createObjectURL');
	expect(await new Files(engine).address(message({ name: 'a.png', state: 'here', path: 'files/1' }))).toBe('');
	expect(await new Files(engine).address(message({ name: 'a.svg', type: 'image/svg+xml', state: 'here', path: 'files/1' }))).toBe('');
	expect(made).not.toHaveBeenCalled();
});

test('a blurred picture is drawn only from a data: address of a picture', () => {
	expect(pixels('data:image/svg+xml;base64,PHN2Zz4=')).toBe('');
	expect(pixels('data:text/html;base64,PHN2Zz4=')).toBe('');
	expect(pixels('https://example.org/x.jpg')).toBe('');
	expect(pixels('data:image/jpeg;base64,/9j/')).toMatch(/^blob:/);
});

test('files go in their order, and stop at the first that cannot', async () => {
	let n = 0;
	const engine = new FakeEngine({ sendFile: () => (++n === 2 ? { event: 'done', failure: { code: 'refused', text: '' } } : { event: 'done' }) });
	const one = (name: string) => ({ blob: new Blob(['x']), name, type: '' });
	expect((await new Files(engine).send('bob@localhost', [one('a'), one('b'), one('c')]))?.code).toBe('refused');
	expect(engine.asked.map((c) => 'name' in c && c.name)).toEqual(['a', 'b']);
});
