// What a page does before its picture is taken.

/** Runs in the page: waits until it has been drawn at its new size. */
export async function drawn() {
  for (let frames = 0; frames < 6; frames += 1) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}
