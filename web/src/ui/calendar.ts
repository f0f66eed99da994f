// The days of a calendar, as numbers that know of no time zone, and how keys lead through them.

/** A Day is the midnight in UTC, in Unix milliseconds, of a day in whatever zone. */
export type Day = number;

const long = 86_400_000;

/** dayOf is the day of a moment, here. */
export const dayOf = (at: Date): Day => Date.UTC(at.getFullYear(), at.getMonth(), at.getDate());

/** beginning is the first moment of a day, here. */
export function beginning(day: Day): Date {
	const d = new Date(day);
	return new Date(d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate());
}

export const within = (day: Day, min: Day, max: Day): Day => Math.max(min, Math.min(day, max));

/** monthsOn is the same day so many months later, or that month's last. */
export function monthsOn(day: Day, months: number): Day {
	const d = new Date(day);
	const [year, month] = [d.getUTCFullYear(), d.getUTCMonth() + months];
	const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
	return Date.UTC(year, month, Math.min(d.getUTCDate(), last));
}

/** monthOf counts months, so that those of two days can be compared. */
export const monthOf = (day: Day): number => new Date(day).getUTCFullYear() * 12 + new Date(day).getUTCMonth();

/** weekOf is the first day of a day's week; first is the weekday that weeks begin with, Sunday 0. */
export const weekOf = (day: Day, first: number): Day => day - ((new Date(day).getUTCDay() - first + 7) % 7) * long;

/** weeksOf are the weeks of a day's month; a day of another month is undefined there. */
export function weeksOf(day: Day, first: number): (Day | undefined)[][] {
	const month = monthOf(day);
	const weeks: (Day | undefined)[][] = [];
	const d = new Date(day);
	for (let at = weekOf(Date.UTC(d.getUTCFullYear(), d.getUTCMonth(), 1), first); weeks.length === 0 || monthOf(at) === month; at += 7 * long) {
		weeks.push([0, 1, 2, 3, 4, 5, 6].map((n) => at + n * long).map((x) => (monthOf(x) === month ? x : undefined)));
	}
	return weeks;
}

/** led is where a key leads from a day, undefined where it leads nowhere. */
export function led(day: Day, key: string, how: { shift: boolean; rtl: boolean; first: number }): Day | undefined {
	const on = how.rtl ? -1 : 1;
	switch (key) {
		case 'ArrowRight':
			return day + on * long;
		case 'ArrowLeft':
			return day - on * long;
		case 'ArrowDown':
			return day + 7 * long;
		case 'ArrowUp':
			return day - 7 * long;
		case 'Home':
			return weekOf(day, how.first);
		case 'End':
			return weekOf(day, how.first) + 6 * long;
		case 'PageDown':
			return monthsOn(day, how.shift ? 12 : 1);
		case 'PageUp':
			return monthsOn(day, how.shift ? -12 : -1);
	}
	return undefined;
}

interface Weeks extends Intl.Locale {
	weekInfo?: { firstDay: number };
	getWeekInfo?: () => { firstDay: number };
}

/**
 * weekBegins is the weekday, Sunday 0, that weeks begin with where somebody is: of the browser's
 * languages the first that is the screen's has the country.
 */
export function weekBegins(locale: string, languages: readonly string[] = []): number {
	const tag = languages.find((l) => l.split('-')[0] === locale) ?? locale;
	try {
		const it = new Intl.Locale(tag) as Weeks;
		const day = (it.getWeekInfo?.() ?? it.weekInfo)?.firstDay;
		if (day) return day % 7;
	} catch {
		// a language that Intl does not know
	}
	return locale === 'ar' ? 6 : 0;
}
