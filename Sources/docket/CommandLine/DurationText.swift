import ArgumentParser

/// A length of time as people write it: a whole number and its unit, such as `90d`, `12h`, `30m` or `45s`.
struct DurationText: ExpressibleByArgument, Sendable, Equatable {
  let seconds: Int64

  /// The longest, which is a hundred years.
  static let maximumSeconds: Int64 = 36_500 * 86_400

  init(seconds: Int64) {
    self.seconds = seconds
  }

  /// - Throws: `ValidationError`, whose message says what a length of time looks like. To have it told, an option is declared
  ///   with `transform: DurationText.init(text:)`.
  init(text: String) throws {
    guard let duration = Self(argument: text) else {
      throw ValidationError("'\(text)' is not a length of time such as 90d, 12h, 30m or 45s, of 100 years at most")
    }
    self = duration
  }

  init?(argument: String) {
    let factor: Int64
    switch argument.utf8.last {
    case UInt8(ascii: "d"): factor = 86_400
    case UInt8(ascii: "h"): factor = 3_600
    case UInt8(ascii: "m"): factor = 60
    case UInt8(ascii: "s"): factor = 1
    default: return nil
    }
    let digits = argument.utf8.dropLast()
    // Int64 would take a sign.
    guard digits.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(String(Substring(digits))),
      case let (seconds, isTooLarge) = number.multipliedReportingOverflow(by: factor), !isTooLarge,
      (1...Self.maximumSeconds).contains(seconds)
    else { return nil }
    self.seconds = seconds
  }

  var defaultValueDescription: String {
    for (unit, factor) in [("d", 86_400), ("h", 3_600), ("m", 60)] as [(String, Int64)] where seconds % factor == 0 {
      return "\(seconds / factor)\(unit)"
    }
    return "\(seconds)s"
  }
}
