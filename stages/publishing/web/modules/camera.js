// The camera: one frame after another, each once the one before it is done.

const SPEED_FRAMES = 30; // over which the frames per second are counted

const REASONS = {
  NotAllowedError: "The browser may not use the camera. Permit it in the settings of the browser or of the system.",
  NotFoundError: "There is no camera.",
  NotReadableError: "The camera cannot be read; does another program use it?",
};

export class Camera {
  running = false;

  // Calls `show(frame, time, speed)` for each frame, an ImageBitmap, and waits for it, until `stop` is called or the camera is gone.
  async run(show) {
    if (!navigator.mediaDevices) throw new Error("The camera needs a page from https:// or from this computer.");
    this.running = true;
    const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
    try {
      const wanted = { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user" };
      this.stream = await navigator.mediaDevices.getUserMedia({ video: wanted });
      if (!this.running) return;
      const [track] = this.stream.getVideoTracks();
      video.srcObject = this.stream;
      await video.play();
      const start = performance.now();
      const times = [start];
      while (this.running) {
        await nextFrame(video, track);
        if (track.readyState === "ended") throw new Error("The camera gives no more pictures; is it still connected?");
        if (!this.running) return;
        const speed = times.length > 1 ? (times.length - 1) / ((times.at(-1) - times[0]) / 1000) : null;
        await show(await createImageBitmap(video), times.length > 1 ? (performance.now() - start) / 1000 : 0, speed);
        times.push(performance.now());
        if (times.length > SPEED_FRAMES) times.shift();
      }
    } catch (error) {
      // What was going on when it was stopped may fail.
      if (this.running) throw new Error(REASONS[error.name] ?? error.message);
    } finally {
      this.stop();
      video.srcObject = null;
    }
  }

  stop() {
    this.running = false;
    this.stream?.getTracks().forEach((track) => track.stop());
  }
}

const nextFrame = (video, track) =>
  new Promise((resolve) => {
    video.requestVideoFrameCallback(resolve);
    track.addEventListener("ended", resolve, { once: true });
  });
