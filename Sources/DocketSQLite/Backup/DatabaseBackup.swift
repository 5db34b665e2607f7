import DocketStore
import Glibc
import Migrations

/// Copies a database, also while it is served, into a file that needs no other beside it.
public enum DatabaseBackup {
  public struct Options: Sendable {
    /// Whether it may take the place of a file.
    public var replaces = false
    /// Whether a copy in which the check finds faults is kept.
    public var acceptsFaults = false
    /// For each part of time that it works so many parts of rest.
    public var restPerWork = 1.0

    public init() {}
  }

  public struct Outcome: Sendable, Equatable {
    /// Symbolic links followed.
    public let source: String
    public let bytes: Int64
    public let report: DatabaseCheck.Report

    /// The newest change in it.
    public var revision: Revision { Revision(report.newestChange ?? 0) }
  }

  /// Copies, checks, and puts on disk: whole, or not at all, whenever it is interrupted.
  /// - Parameters:
  ///   - source: the database, which is only read.
  ///   - target: the file to be made, in a folder that is there.
  ///   - progress: is told how far it is, on the caller's thread; it ends the work, with `BackupError.stopped`, by returning false.
  public static func run(
    _ source: String, to target: String, options: Options = Options(), progress: (CareProgress) -> Bool = { _ in true }
  ) throws(BackupError) -> Outcome {
    try run(source, to: target, options: options, interruption: Interruption(), progress: progress)
  }

  /// - Parameter interruption: ends the check, too, in which `progress` may not be asked for long.
  static func run(
    _ source: String, to target: String, options: Options, interruption: Interruption,
    progress: (CareProgress) -> Bool
  ) throws(BackupError) -> Outcome {
    let pace = BackupPace(restPerWork: options.restPerWork)
    return try withoutActuallyEscaping(progress) { progress throws(BackupError) in
      let follower = CareFollower { report in
        pace.rest()
        return progress(report)
      }
      return try run(source, to: target, options, interruption, follower)
    }
  }

  private static func run(
    _ name: String, to target: String, _ options: Options, _ interruption: Interruption, _ follower: CareFollower
  ) throws(BackupError) -> Outcome {
    let source = try BackupError.translating(path: name) { try ReadableFile(name) }
    guard !areOne(source.path, target) else { throw .sameFile(path: target) }
    // What is wrong from here on is the target's.
    return try BackupError.translating(path: target) {
      let file = try PartialFile(of: target, replacing: options.replaces, besides: source.path)
      try DatabaseCopy(from: source, to: file, follower).run()
      let report = try check(file, interruption, follower)
      if !options.acceptsFaults, let fault = report.findings.first(where: { $0.kind.isFault }) {
        throw BackupError.faulty(
          path: source.path, fault: "\(fault.kind.rawValue): \(fault.text)", faults: report.faults)
      }
      let bytes = file.bytes
      try file.finish()
      return Outcome(source: source.path, bytes: bytes, report: report)
    }
  }

  private static func check(
    _ file: PartialFile, _ interruption: Interruption, _ follower: CareFollower
  ) throws -> DatabaseCheck.Report {
    let connection = try ReadableFile(file.path).connect()
    defer { connection.close() }
    return try interruption.covering(connection) {
      try follower.following(connection) {
        var run = CheckRun(
          connection, path: file.path, migrations: MigrationCatalog.migrations, follower: follower)
        return try run.report()
      }
    }
  }

  private static func areOne(_ path: String, _ other: String) -> Bool {
    var (first, second) = (stat(), stat())
    return stat(path, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev
      && first.st_ino == second.st_ino
  }
}
