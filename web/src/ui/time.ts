// Times and numbers in words, in the chosen language and digits (settings.tag).

const formats = new Map<string, Intl.DateTimeFormat>();

function format(tag: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
	const key = tag + JSON.stringify(options);
	const made = formats.get(key) ?? new Intl.DateTimeFormat(tag, { calendar: 'gregory', ...options });
	formats.set(key, made);
	return made;
}

/** clock is the time of day. */
export const clock = (at: Date, tag: string) => format(tag, { hour: 'numeric', minute: '2-digit' }).format(at);

/** daysAgo counts nights between two moments. */
export function daysAgo(at: Date, now: Date): number {
	const midnight = (d: Date) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
	return Math.round((midnight(now) - midnight(at)) / 86_400_000);
}

/** day is a day as a heading: today, yesterday, a weekday, a date. */
export function day(at: Date, now: Date, tag: string): string {
	const ago = daysAgo(at, now);
	if (ago === 0 || ago === 1) return capital(new Intl.RelativeTimeFormat(tag, { numeric: 'auto' }).format(-ago, 'day'));
	if (ago > 1 && ago < 7) return format(tag, { weekday: 'long' }).format(at);
	const year = at.getFullYear() === now.getFullYear() ? undefined : 'numeric';
	return format(tag, { day: 'numeric', month: 'long', year }).format(at);
}

/** brief is for a row of the list: a time today, else the shortest day. */
export function brief(at: Date, now: Date, tag: string): string {
	const ago = daysAgo(at, now);
	if (ago === 0) return clock(at, tag);
	if (ago === 1) return day(at, now, tag);
	if (ago > 1 && ago < 7) return format(tag, { weekday: 'short' }).format(at);
	return format(tag, { day: 'numeric', month: 'numeric', year: '2-digit' }).format(at);
}

/** full is all of it, for a title. */
export const full = (at: Date, tag: string) => format(tag, { dateStyle: 'full', timeStyle: 'short' }).format(at);

/** onCalendar is a part of a day that has no time zone (calendar.ts). */
export const onCalendar = (day: number, tag: string, options: Intl.DateTimeFormatOptions) => format(tag, { ...options, timeZone: 'UTC' }).format(day);

const units = [['week', 604_800], ['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1]] as const;

/** lasting is a stretch of time in its largest whole unit: 4 weeks, 90 days, an hour; brief as in 4w. */
export function lasting(seconds: number, tag: string, brief = false): string {
	const [unit, length] = units.find(([, l]) => seconds >= l && seconds % l === 0) ?? ['second', 1];
	return new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: brief ? 'narrow' : 'long' }).format(seconds / length);
}

export const number = (n: number, tag: string, useGrouping?: false) => new Intl.NumberFormat(tag, { useGrouping }).format(n);

const capital = (text: string) => text.charAt(0).toLocaleUpperCase() + text.slice(1);
