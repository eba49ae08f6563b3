// The lines to copy. Where the clipboard is out of reach they are marked, for the user to copy.

/** Lets a button copy what a part of the page shows, and says in another what came of it. */
export function createCopy(button, code, said) {
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      said.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      said.textContent = "Marked: copy it now";
    }
  });
}
