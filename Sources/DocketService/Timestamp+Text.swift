import DocketStore

extension Timestamp {
  /// RFC 3339 in UTC with milliseconds: `2026-11-23T09:08:07.065Z`.
  var rfc3339: String {
    let (date, time) = civil
    return "\(pad(date.year, 4))-\(pad(date.month))-\(pad(date.day))T"
      + "\(pad(time.hour)):\(pad(time.minute)):\(pad(time.second)).\(pad(time.millisecond, 3))Z"
  }

  /// The form of HTTP's `Last-Modified` (RFC 9110, section 5.6.7): `Mon, 23 Nov 2026 09:08:07 GMT`.
  var httpDate: String {
    let (date, time) = civil
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(days % 7 + 7) % 7]
    let month = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ][date.month - 1]
    return "\(weekday), \(pad(date.day)) \(month) \(pad(date.year, 4)) "
      + "\(pad(time.hour)):\(pad(time.minute)):\(pad(time.second)) GMT"
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

  private func pad(_ number: Int, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
