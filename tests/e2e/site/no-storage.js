// What a page meets whose storage is blocked: as a third party, by a setting, in a sandbox.

for (const area of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(globalThis, area, {
    get() {
      throw new DOMException("Access is denied for this document.", "SecurityError");
    },
  });
}
