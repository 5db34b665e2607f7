import Foundation
import Testing

@testable import DocketSQLite

@Suite("A series of backups")
struct BackupSeriesTests {
  private static let noon: Int64 = 1_896_177_600  // 2030-02-01T12:00:00Z

  @Test("a name says when it was made, and nothing else is such a name")
  func names() {
    #expect(BackupSeries.name(at: Self.noon) == "docket-20300201T120000Z.db")
    for seconds in [0, 1, 951_782_399, Self.noon, 253_402_300_799] {
      #expect(BackupSeries.seconds(of: BackupSeries.name(at: seconds)) == seconds)
    }
    for name in [
      "", "docket-.db", "docket-20300201T120000Z.db ", "docket-20300201T120000Z", "xdocket-20300201T120000Z.db",
      "docket-20300230T120000Z.db", "docket-20301301T120000Z.db", "docket-20300201T250000Z.db",
      "docket-20300201T120060Z.db", "docket-20300201-120000Z.db", "docket-99999999T999999Z.db",
      "docket-----\u{2d}---T------Z.db", "docket-2030020１T12000Z.db", "docket-2030 201T120000Z.db",
      "docket-\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}.db", "docket-20300201t120000z.db",
    ] {
      #expect(BackupSeries.seconds(of: name) == nil, "\(name)")
    }
  }

  @Test("the next is due so long after the last; what lies in the future, or is none of it, does not count")
  func due() {
    let series = BackupSeries(everySeconds: 3_600, keep: nil)
    #expect(series.secondsToNext(among: [], now: Self.noon) == 0)
    let last = [BackupSeries.name(at: Self.noon - 7_200), BackupSeries.name(at: Self.noon - 600), "mine.db"]
    #expect(series.secondsToNext(among: last, now: Self.noon) == 3_000)
    #expect(series.secondsToNext(among: last, now: Self.noon + 3_000) == 0)
    #expect(series.secondsToNext(among: last, now: Self.noon + 1_000_000) == 0)
    // A clock that was years ahead once must not end the series.
    let future = [BackupSeries.name(at: Self.noon + 100_000_000)]
    #expect(series.secondsToNext(among: future, now: Self.noon) == 0)
    #expect(series.secondsToNext(among: last + future, now: Self.noon) == 3_000)
  }

  @Test("the oldest go; what lies in the future, and what is none of the series, is left to people")
  func surplus() {
    let names = (0..<5).map { BackupSeries.name(at: Self.noon + 60 * $0) }
    let now = Self.noon + 1_000
    let others = ["mine.db", "docket-.db", BackupSeries.name(at: now + 1)]
    #expect(
      BackupSeries(everySeconds: 60, keep: 2).surplus(among: (names + others).reversed(), now: now)
        == Array(names.prefix(3)))
    #expect(BackupSeries(everySeconds: 60, keep: 5).surplus(among: names + others, now: now) == [])
    #expect(BackupSeries(everySeconds: 60, keep: nil).surplus(among: names + others, now: now) == [])
    // With the clock back by a year no backup of today is taken for an old one.
    #expect(BackupSeries(everySeconds: 60, keep: 1).surplus(among: names, now: now - 31_536_000) == [])
  }

  @Test("what only has such a name, and is no backup, neither counts nor goes")
  func planted() throws {
    let fixture = try BackupFixture()
    let names = (0..<8).map { BackupSeries.name(at: Self.noon + 60 * $0) }
    for name in names.prefix(3) { try fixture.plant(name) }
    try Data("mine".utf8).write(to: URL(fileURLWithPath: fixture.file(names[3])))
    try FileManager.default.createSymbolicLink(
      atPath: fixture.file(names[4]), withDestinationPath: fixture.file(names[0]))
    try FileManager.default.createDirectory(atPath: fixture.file(names[5]), withIntermediateDirectories: true)
    #expect(mkfifo(fixture.file(names[6]), 0o600) == 0)
    try fixture.plantHeader(names[7])
    let series = BackupSeries(everySeconds: 3_600, keep: 1)
    let now = Self.noon + 1_200
    let (folder, history) = (SeriesFolder(fixture.folder, besides: fixture.path), try fixture.history)
    #expect(series.secondsToNext(in: folder, of: history, now: now) == 3_600 - (1_200 - 120))
    series.removeSurplus(in: folder, of: history, now: now)
    #expect(try fixture.names == Array(names[2...]))
  }

  @Test("backups of another history, in the same folder, neither count nor go")
  func others() throws {
    let (fixture, other) = (try BackupFixture(), try BackupFixture())
    let names = (0..<6).map { BackupSeries.name(at: Self.noon + 60 * $0) }
    for (number, name) in names.enumerated() {
      try (number.isMultiple(of: 2) ? fixture : other).plant(name, in: fixture.folder)
    }
    let series = BackupSeries(everySeconds: 3_600, keep: 1)
    let folder = SeriesFolder(fixture.folder, besides: fixture.path)
    let now = Self.noon + 1_200
    let (own, others) = (try fixture.history, try other.history)
    #expect(series.secondsToNext(in: folder, of: own, now: now) == 3_600 - (1_200 - 240))
    #expect(series.secondsToNext(in: folder, of: others, now: now) == 3_600 - (1_200 - 300))
    // Where it is not known whose backups are made.
    #expect(series.secondsToNext(in: folder, of: nil, now: now) == 3_600 - (1_200 - 300))
    #expect(series.secondsToNext(in: folder, of: "none", now: now) == 0)
    series.removeSurplus(in: folder, of: own, now: now)
    #expect(try fixture.names == [names[1], names[3], names[4], names[5]])
    #expect(folder.names(besides: own).sorted() == [names[1], names[3], names[5]])
  }
}
