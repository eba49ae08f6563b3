// What a page meets in Lockdown Mode.

delete globalThis.WebAssembly;
