import DocketStore

/// Why there is no backup. Nothing of it is left, and the database is as it was.
public enum BackupError: Error, Equatable, Sendable {
  /// Whoever asked for it has stopped it.
  case stopped
  /// There is a file already where it is to be.
  case exists(path: String)
  /// What is there is no file that could give way to one.
  case notFile(path: String)
  /// It would take the place of the database itself.
  case sameFile(path: String)
  /// SQLite would take one of two files for a part of the other: a log, say.
  case companion(path: String, other: String)
  /// Another process makes it, or somebody else has left a part of it behind.
  case inTheMaking(path: String, partial: String)
  /// Sizes in bytes.
  case noRoom(path: String, needed: Int64, free: Int64)
  /// The copy has faults, since the database has; the first of them.
  case faulty(path: String, fault: String, faults: Int)
  /// SQLite or the system could not do it.
  case failed(CareError)
}

extension BackupError: CustomStringConvertible {
  /// One line: what is wrong, and how to mend it.
  public var description: String {
    switch self {
    case .stopped: "stopped; nothing was made"
    case .exists(let path): "\(path): is there already; name another file, or add --replace"
    case .notFile(let path): "\(path): is there, and no file that could be replaced; name another one"
    case .sameFile(let path): "\(path): is the database itself; name another file"
    case .companion(let path, let other):
      """
      \(path): is not made beside \(other), since one of them would be taken for a part of the other; name another file, or \
      remove that one if no database belongs to it
      """
    case .inTheMaking(let path, let partial):
      """
      \(path): is being made already, by another process; if there is none, \(partial) was left by another user: remove it, or \
      name another file
      """
    case .noRoom(let path, let needed, let free):
      """
      \(path): there is no room for it: \(needed) bytes are needed, and \(free) are free; make room, or choose another place
      """
    case .faulty(let path, let fault, let faults):
      """
      \(path): has \(faults) \(faults == 1 ? "fault" : "faults"), the first is \(fault); `docket check` names them all, and with \
      --accept-faults it is copied as it is
      """
    case .failed(let error): error.description
    }
  }
}

extension BackupError {
  /// Runs a step and says in these terms what went wrong.
  /// - Parameter path: the file that it is about.
  static func translating<Value>(path: String, _ step: () throws -> Value) throws(BackupError) -> Value {
    do {
      return try step()
    } catch let error as BackupError {
      throw error
    } catch {
      do {
        return try CareError.translating(path: path) { throw error }
      } catch {
        throw error == .stopped ? .stopped : .failed(error)
      }
    }
  }
}

extension StoreError {
  /// What clients of a store are told.
  init(_ error: BackupError, ofBackup name: String) {
    self =
      switch error {
      case .stopped: .closed
      case .exists: .backupExists(name: name)
      case .noRoom(_, let needed, let free): .noRoomForBackup(needed: needed, free: free)
      case .faulty(_, let fault, let faults): .backupFaulty(fault: fault, faults: faults)
      case .notFile, .sameFile, .companion, .inTheMaking, .failed: .backupFailed(reason: error.description)
      }
  }
}
