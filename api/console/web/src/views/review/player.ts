/** When pictures of a video are shown: exact times, not those at which a page looks. */

/** While it plays, the page around the picture follows so often, milliseconds. */
const FOLLOW = 100;

/** Watches a video until it is stopped. */
export class Pace {
  readonly #video: HTMLVideoElement;
  readonly #shown: (second: number, exact: boolean) => void;
  #frame = 0;
  #told = Number.NEGATIVE_INFINITY;

  /**
   * @param shown is told of each picture by its time in the video, seconds; `exact` where the page has to follow: at
   *   every picture that stands still, and some times a second while it plays
   */
  constructor(video: HTMLVideoElement, shown: (second: number, exact: boolean) => void) {
    this.#video = video;
    this.#shown = shown;
    this.#next();
    if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) shown(video.currentTime, true);
  }

  /** Watch no more. */
  stop(): void {
    this.#video.cancelVideoFrameCallback(this.#frame);
  }

  #next(): void {
    this.#frame = this.#video.requestVideoFrameCallback((now, { mediaTime }) => {
      this.#next();
      const exact = this.#video.paused || now - this.#told >= FOLLOW;
      if (exact) this.#told = now;
      this.#shown(mediaTime, exact);
    });
  }
}
