import DocketJSON
import DocketStore
import NIOCore

extension Timestamp {
  /// Reads RFC 3339: `2026-11-23T09:08:07.065Z`, or with an offset such as `+02:00` in the place of the Z.
  ///
  /// What is finer than a millisecond is dropped; a leap second counts as the last of its minute.
  package init?(rfc3339 text: String) {
    var rest = Substring(text).utf8
    func number(_ digits: Int, _ range: ClosedRange<Int>) -> Int? {
      let text = rest.prefix(digits)
      guard text.count == digits, text.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
      rest = rest.dropFirst(digits)
      return Int(String(Substring(text))).flatMap { range.contains($0) ? $0 : nil }
    }
    func skip(_ characters: String) -> Bool {
      guard let next = rest.first, characters.utf8.contains(next) else { return false }
      rest = rest.dropFirst()
      return true
    }
    guard let year = number(4, 0...9999), skip("-"), let month = number(2, 1...12), skip("-"),
      let day = number(2, 1...31), skip("Tt "), let hour = number(2, 0...23), skip(":"),
      let minute = number(2, 0...59), skip(":"), let second = number(2, 0...60)
    else { return nil }
    var millisecond = 0
    if skip(".") {
      let fraction = rest.prefix { (0x30...0x39).contains($0) }
      guard !fraction.isEmpty else { return nil }
      millisecond = Int(String(Substring(fraction.prefix(3)) + "000").prefix(3)) ?? 0
      rest = rest.dropFirst(fraction.count)
    }
    var offset = 0
    if !skip("Zz") {
      // A plus that was not encoded comes as a space.
      let isEast = skip("+ ")
      guard isEast || skip("-"), let hours = number(2, 0...23), skip(":"), let minutes = number(2, 0...59) else {
        return nil
      }
      offset = (isEast ? 1 : -1) * (hours * 60 + minutes)
    }
    let days = Self.days(year: year, month: month, day: day)
    guard rest.isEmpty, Self.date(days: days) == (year, month, day) else { return nil }
    let seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + min(second, 59)
    self.init(milliseconds: Int64(seconds) * 1000 + Int64(millisecond))
  }

  /// RFC 3339 in UTC with milliseconds: `2026-11-23T09:08:07.065Z`.
  package var rfc3339: String {
    String(unsafeUninitializedCapacity: Self.textBytes) { buffer in
      writeText(to: UnsafeMutableRawBufferPointer(buffer))
      return Self.textBytes
    }
  }

  /// The length of `rfc3339`. Years have four digits: the store has none beyond 9999.
  static let textBytes = 24

  /// Writes `rfc3339`, digit by digit: pages tell two times of each document.
  /// - Parameter memory: of `textBytes` at least.
  func writeText(to memory: UnsafeMutableRawBufferPointer) {
    let (date, time) = civil
    var offset = 0
    func write(_ number: Int, digits: Int, _ separator: UInt8) {
      var rest = number
      for place in (0..<digits).reversed() {
        memory[offset + place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      }
      memory[offset + digits] = separator
      offset += digits + 1
    }
    write(min(max(date.year, 0), 9999), digits: 4, UInt8(ascii: "-"))
    write(date.month, digits: 2, UInt8(ascii: "-"))
    write(date.day, digits: 2, UInt8(ascii: "T"))
    write(time.hour, digits: 2, UInt8(ascii: ":"))
    write(time.minute, digits: 2, UInt8(ascii: ":"))
    write(time.second, digits: 2, UInt8(ascii: "."))
    write(time.millisecond, digits: 3, UInt8(ascii: "Z"))
  }

  /// The form of HTTP's `Last-Modified` (RFC 9110, section 5.6.7): `Mon, 23 Nov 2026 09:08:07 GMT`.
  package var httpDate: String {
    let (date, time) = civil
    let weekday = Int(days % 7 + 7) % 7
    // Every answer over HTTP has one or two of these.
    return String(unsafeUninitializedCapacity: 29) { text in
      var end = 0
      func put(_ name: StaticString, _ index: Int = 0, length: Int) {
        for offset in 0..<length { text[end + offset] = name.utf8Start[index * length + offset] }
        end += length
      }
      func put(_ number: Int, digits: Int) {
        var rest = number
        for offset in (0..<digits).reversed() {
          text[end + offset] = UInt8(ascii: "0") + UInt8(rest % 10)
          rest /= 10
        }
        end += digits
      }
      put("ThuFriSatSunMonTueWed", weekday, length: 3)
      put(", ", length: 2)
      put(date.day, digits: 2)
      put(" ", length: 1)
      put("JanFebMarAprMayJunJulAugSepOctNovDec", date.month - 1, length: 3)
      put(" ", length: 1)
      put(min(max(date.year, 0), 9999), digits: 4)
      put(" ", length: 1)
      put(time.hour, digits: 2)
      put(":", length: 1)
      put(time.minute, digits: 2)
      put(":", length: 1)
      put(time.second, digits: 2)
      put(" GMT", length: 4)
      return end
    }
  }

  private var days: Int64 {
    let day: Int64 = 86_400_000
    return (milliseconds - (milliseconds % day + day) % day) / day
  }

  private var civil:
    (date: (year: Int, month: Int, day: Int), time: (hour: Int, minute: Int, second: Int, millisecond: Int))
  {
    let rest = Int(milliseconds - days * 86_400_000)
    return (
      Self.date(days: Int(days)),
      (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000)
    )
  }

  /// The Gregorian date so many days after 1970-01-01: counted in eras of 400 years that begin on 1 March, so that
  /// the leap day is a year's last.
  private static func date(days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (
      yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1
    )
  }

  /// The inverse of `date`.
  private static func days(year: Int, month: Int, day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private func pad(_ number: Int, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

extension ByteBuffer {
  /// `rfc3339` in quotes, or null.
  mutating func writeJSONTime(_ time: Timestamp?) {
    if let time { writeJSONString(time.rfc3339) } else { writeStaticString("null") }
  }
}
