/** How to get an ffmpeg that serves. */

/** Commands per package manager, as one sentence. */
export const INSTALL_FFMPEG =
  'install ffmpeg 5.1 or newer with libx264: "apt-get install ffmpeg" (Debian, Ubuntu), ' +
  '"dnf install ffmpeg" with RPM Fusion (Fedora), or "brew install ffmpeg" (macOS)';
