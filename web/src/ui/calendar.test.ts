import { expect, test } from 'vitest';
import { beginning, dayOf, led, monthsOn, weekBegins, weeksOf, within } from './calendar';

const utc = (text: string) => Date.parse(`${text}T00:00:00Z`);
const text = (day: number | undefined) => day && new Date(day).toISOString().slice(0, 10);

test('a day and its beginning belong to each other, whatever the zone', () => {
	for (const d of ['2026-01-01', '2026-03-29', '2026-10-25', '2024-02-29', '2026-04-24']) expect(dayOf(beginning(utc(d)))).toBe(utc(d));
	expect(dayOf(new Date(2026, 10, 22, 23, 59))).toBe(utc('2026-11-22'));
});

test('a month has its weeks, that begin where one lives', () => {
	const of = (first: number) => weeksOf(utc('2026-11-22'), first).map((w) => w.filter((d) => d !== undefined).length);
	expect(of(0)).toEqual([7, 7, 7, 7, 2]); // the first is a Sunday
	expect(of(1)).toEqual([1, 7, 7, 7, 7, 1]);
	expect(of(6)).toEqual([6, 7, 7, 7, 3]);
	for (const first of [0, 1, 6]) {
		const days = weeksOf(utc('2024-02-11'), first).flat().filter((d) => d !== undefined);
		expect([days.length, text(days[0]), text(days.at(-1))]).toEqual([29, '2024-02-01', '2024-02-29']);
	}
});

test('keys lead through days, weeks, months and years, and the other way in Arabic', () => {
	const key = (key: string, shift = false, rtl = false) => text(led(utc('2026-03-31'), key, { shift, rtl, first: 1 }));
	expect([key('ArrowRight'), key('ArrowLeft'), key('ArrowDown'), key('ArrowUp')]).toEqual(['2026-04-01', '2026-03-30', '2026-04-07', '2026-03-24']);
	expect([key('ArrowRight', false, true), key('ArrowLeft', false, true)]).toEqual(['2026-03-30', '2026-04-01']);
	expect([key('Home'), key('End')]).toEqual(['2026-03-30', '2026-04-05']);
	expect([key('PageDown'), key('PageUp'), key('PageDown', true), key('PageUp', true)]).toEqual(['2026-04-30', '2026-02-28', '2027-03-31', '2025-03-31']);
	expect(key('a')).toBeUndefined();
	expect([text(monthsOn(utc('2024-02-29'), -12)), text(within(utc('2024-02-29'), utc('2024-03-01'), utc('2024-03-02')))]).toEqual(['2023-02-28', '2024-03-01']);
});

test('weeks begin as they do where the browser says that one is', () => {
	expect([weekBegins('en', ['en-GB']), weekBegins('en', ['ar-SA', 'en-US']), weekBegins('ar', ['en-US', 'ar-EG']), weekBegins('ar', ['ar-TN'])]).toEqual([1, 0, 6, 1]);
	expect(weekBegins('en', ['en-x y'])).toBe(0);
});
