// What a person has chosen of how the screen looks. It is kept in this browser.

export type Theme = 'system' | 'light' | 'dark';
export type Locale = 'en' | 'ar';
export type Digits = 'locale' | 'latn' | 'arab';
/** Size is that of all text, in percent of what the browser has. */
export type Size = 90 | 100 | 112 | 125;

interface Choices {
	theme: Theme;
	locale: Locale;
	digits: Digits;
	size: Size;
}

const key = 'mirsal screen';

export class Settings implements Choices {
	#theme = $state<Theme>('system');
	#locale = $state<Locale>(preferred());
	#digits = $state<Digits>('locale');
	#size = $state<Size>(100);

	constructor() {
		const kept = read();
		if (kept.theme) this.#theme = kept.theme;
		if (kept.locale) this.#locale = kept.locale;
		if (kept.digits) this.#digits = kept.digits;
		if (kept.size) this.#size = kept.size;
	}

	get theme() {
		return this.#theme;
	}
	set theme(theme) {
		this.#theme = theme;
		this.#keep();
	}
	get locale() {
		return this.#locale;
	}
	set locale(locale) {
		this.#locale = locale;
		this.#keep();
	}
	get digits() {
		return this.#digits;
	}
	set digits(digits) {
		this.#digits = digits;
		this.#keep();
	}
	get size() {
		return this.#size;
	}
	set size(size) {
		this.#size = size;
		this.#keep();
	}
	get direction(): 'rtl' | 'ltr' {
		return this.#locale === 'ar' ? 'rtl' : 'ltr';
	}
	/** tag is the locale for Intl, with the chosen digits */
	get tag(): string {
		const digits = this.#digits === 'locale' ? (this.#locale === 'ar' ? 'arab' : 'latn') : this.#digits;
		return `${this.#locale}-u-nu-${digits}`;
	}

	#keep() {
		store(JSON.stringify({ theme: this.#theme, locale: this.#locale, digits: this.#digits, size: this.#size }));
	}
}

function store(text: string) {
	try {
		localStorage.setItem(key, text);
	} catch {
		// a window that keeps nothing has them for as long as it is there
	}
}

function read(): Partial<Choices> {
	try {
		return JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<Choices>;
	} catch {
		return {};
	}
}

function preferred(): Locale {
	for (const language of navigator.languages ?? []) {
		const short = language.split('-')[0];
		if (short === 'ar' || short === 'en') return short;
	}
	return 'en';
}
