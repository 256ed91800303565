/** A short tone, for those who want to hear alarms. */

const LASTS_S = 0.35;
let context: AudioContext | null = null;

export function beep(): void {
  context ??= new AudioContext();
  // A tablet stops it where something else is heard, or its screen was dark: alarms would be silent from then on.
  if (context.state !== "running") void context.resume();
  const tone = context.createOscillator();
  const level = context.createGain();
  const now = context.currentTime;
  tone.frequency.value = 880;
  level.gain.setValueAtTime(0.2, now);
  level.gain.exponentialRampToValueAtTime(0.001, now + LASTS_S);
  tone.connect(level).connect(context.destination);
  tone.start(now);
  tone.stop(now + LASTS_S);
}
