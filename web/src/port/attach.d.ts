declare module '*/attach.js' {
	export function attach(options: {
		tell: (event: any) => void;
		state: (state: any) => void;
		profile?: string;
		label?: string;
		wasm?: string;
		integrity?: string;
		worker?: () => Worker;
	}): {
		do(command: object): Promise<object>;
		put(blob: Blob): Promise<string>;
		file(path: string): Promise<File | null>;
		stop(): void;
		erase(): Promise<void>;
		leave(): void;
	};
}
