import DocketService
import DocketWire

/// How much of the server's room and time a client may take with one frame, and by its silence: less as long as nobody knows
/// who it is.
struct ClientBounds {
  private let limits: ServerLimits
  /// How long a frame may be of somebody who is known.
  let frameBytes: Int
  /// The same of a stranger.
  let strangerFrameBytes: Int

  init(_ limits: ServerLimits, _ wireLimits: WireLimits) {
    self.limits = limits
    frameBytes = wireLimits.frameBytes
    strangerFrameBytes = min(limits.strangerFrameBytes, wireLimits.frameBytes)
  }

  func frameBytes(ofStranger isStranger: Bool) -> Int { isStranger ? strangerFrameBytes : frameBytes }

  func frameSeconds(ofStranger isStranger: Bool) -> Double {
    isStranger ? min(limits.strangerFrameSeconds, limits.frameSeconds) : limits.frameSeconds
  }

  func idleSeconds(ofStranger isStranger: Bool) -> Double {
    isStranger ? min(limits.strangerIdleSeconds, limits.idleSeconds) : limits.idleSeconds
  }

  // MARK: What is told beyond them

  var frameTooLong: Response {
    .error(
      .contentTooLarge, "frame_too_large",
      "A request may have \(frameBytes) bytes at most (--max-document-bytes, and \(WireLimits.envelopeBytes) for the rest)."
    )
  }

  var strangersFrameTooLong: Response { .authenticateFirst(limit: strangerFrameBytes) }

  func frameTooLate(ofStranger isStranger: Bool) -> Response {
    .error(
      .requestTimeout, "frame_timeout",
      "A request must arrive whole, its NUL included, within \(frameSeconds(ofStranger: isStranger)) s (\(isStranger ? "before a token is known, --stranger-frame-timeout" : "--frame-timeout"))."
    )
  }
}
