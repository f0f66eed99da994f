import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { hold } from './hold';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function element() {
	const it = document.createElement('div');
	it.innerHTML = '<a href="https://example.org">link</a><button>photo</button>';
	document.body.replaceChildren(it);
	const ran = vi.fn();
	const end = hold(ran)(it) as () => void;
	const send = (name: string, more: PointerEventInit = {}, on: Element = it) => {
		const e = new PointerEvent(name, { pointerType: 'touch', isPrimary: true, bubbles: true, cancelable: true, clientX: 50, clientY: 50, ...more });
		on.dispatchEvent(e);
		return e;
	};
	return { it, ran, end, send };
}

test('a finger that stays runs it once, and its going up presses nothing', () => {
	const { it, ran, send } = element();
	const pressed = vi.fn();
	it.querySelector('button')!.addEventListener('click', pressed);
	send('pointerdown', {}, it.querySelector('button')!);
	send('pointermove', { clientX: 55 });
	vi.advanceTimersByTime(1000);
	send('pointerup');
	it.querySelector('button')!.click();
	expect([ran.mock.calls.length, pressed.mock.calls.length]).toEqual([1, 0]);
	send('pointerdown', {}, it.querySelector('button')!);
	send('pointerup');
	it.querySelector('button')!.click();
	expect([ran.mock.calls.length, pressed.mock.calls.length]).toEqual([1, 1]);
});

test('a tap, a finger that moves, a mouse and a link do not', () => {
	const { it, ran, send } = element();
	for (const then of [() => send('pointerup'), () => send('pointermove', { clientY: 90 }), () => send('pointercancel')]) {
		send('pointerdown');
		vi.advanceTimersByTime(200);
		then();
		vi.advanceTimersByTime(1000);
	}
	send('pointerdown', { pointerType: 'mouse' });
	vi.advanceTimersByTime(1000);
	send('pointerdown', {}, it.querySelector('a')!);
	vi.advanceTimersByTime(1000);
	expect(ran).not.toHaveBeenCalled();
});

test('it comes in place of the menu of the browser, but for links', () => {
	const { it, ran, send } = element();
	send('pointerdown');
	expect(send('contextmenu').defaultPrevented).toBe(true);
	vi.advanceTimersByTime(1000);
	expect(ran).toHaveBeenCalledTimes(1);
	expect(send('contextmenu', {}, it.querySelector('a')!).defaultPrevented).toBe(false);
	expect(send('contextmenu', { pointerType: 'mouse' }).defaultPrevented).toBe(false);
});

test('nothing runs on what is gone', () => {
	const { ran, end, send } = element();
	send('pointerdown');
	end();
	vi.advanceTimersByTime(1000);
	expect(ran).not.toHaveBeenCalled();
});
