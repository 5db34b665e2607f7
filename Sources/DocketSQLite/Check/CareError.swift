import CSQLite
import DocketStore

/// Why a database was not checked, compacted or restored. The file is as it was.
public enum CareError: Error, Equatable, Sendable {
  /// It could not be opened.
  case opening(OpeningError)
  /// There is no such file.
  case missing(path: String)
  /// Whoever asked for it has stopped it.
  case stopped
  /// SQLite or the system could not do it.
  case failed(path: String, reason: String)

  /// There is no room for what is to be made.
  case diskFull(path: String)

  // Restoring

  /// The backup is the database itself.
  case sameFile(path: String)
  /// The database holds what the backup lacks: so many changes behind its newest one, or another history.
  case wouldLose(path: String, backup: String, changes: Int64, isOtherHistory: Bool)
  /// The file in the database's place cannot be read, so that what would be lost is not known.
  case wouldReplaceUnreadable(path: String, reason: String)
  /// The backup is not sound; the first of its faults.
  case faulty(path: String, fault: String, faults: Int)

  // Emptying

  /// The database has tokens, or may have some, that cannot be taken over.
  case tokensNotKept(path: String, reason: String)
  /// Triggers of the backup change what is said of tokens, so that others would hold than are to.
  case tokensChanged(path: String, triggers: [String])

  // Moments

  case historyGone(path: String, oldest: Int64)
  case ahead(path: String, newest: Int64)
  /// Two documents that were there at that moment cannot stand side by side under the settings of now.
  case notUnique(collection: String, fields: [String], first: String, second: String)
  /// A document as it was at that moment is no JSON.
  case unreadableVersion(document: String, reason: String)
  /// A trigger that is not Docket's does not let documents be changed.
  case refused(path: String, reason: String)
}

extension CareError: CustomStringConvertible {
  /// One line: what is wrong, and how to mend it.
  public var description: String {
    switch self {
    case .opening(let error): error.description
    case .missing(let path): "\(path): there is no such file; name the database with --database"
    case .diskFull(let path): "\(path): the disk is full; nothing was changed"
    case .stopped: "stopped; nothing was changed"
    case .failed(let path, let reason): "\(path): \(reason)"
    case .sameFile(let path): "\(path): is the database itself; name a backup, or another database with --database"
    case .wouldLose(let path, let backup, let changes, let isOtherHistory):
      """
      \(path): \(isOtherHistory ? "has another history than \(backup), of \(changes) changes" : "holds \(changes) changes that \(backup) lacks"), \
      which would be lost from sight; with --replace it is put aside, and the backup takes its place
      """
    case .wouldReplaceUnreadable(let path, let reason):
      "\(path): cannot be read (\(reason)); with --replace it is put aside, and the backup takes its place"
    case .faulty(let path, let fault, let faults):
      """
      \(path): has \(faults) \(faults == 1 ? "fault" : "faults"), the first is \(fault); `docket check` names them all, \
      and with --accept-faults it is restored as it is
      """
    case .tokensNotKept(let path, let reason):
      """
      \(path): its tokens cannot be kept (\(reason)), and without tokens the server takes every request; nothing was changed: \
      with --tokens they are removed as well
      """
    case .tokensChanged(let path, let triggers):
      """
      \(path): its \(triggers.count == 1 ? "trigger" : "triggers") \(triggers.joined(separator: ", ")) would have other access \
      tokens hold than are to; nothing was changed: drop what does so in a copy of the backup, and restore that
      """
    case .historyGone(let path, let oldest):
      "\(path): history does not reach back so far; the oldest moment that is kept is revision \(oldest)"
    case .ahead(let path, let newest):
      "\(path): that moment has not come; the newest revision is \(newest)"
    case .notUnique(let collection, let fields, let first, let second):
      """
      \(collection)\(first) and \(collection)\(second) would have the same \(fields.joined(separator: ", ")), which is unique in \
      \(collection) by now; nothing was changed: take that setting away first, or choose another moment
      """
    case .unreadableVersion(let document, let reason):
      "\(document): what it was at that moment is no JSON (\(reason)); nothing was changed: choose another moment"
    case .refused(let path, let reason):
      "\(path): a trigger that is not Docket's refuses it (\(reason)); nothing was changed"
    }
  }
}

extension CareError {
  /// Runs a step and says in these terms what went wrong.
  static func translating<Value>(path: String, _ step: () throws -> Value) throws(CareError) -> Value {
    do {
      return try step()
    } catch let error as CareError {
      throw error
    } catch let error as SQLiteError where error.isInterruption {
      throw .stopped
    } catch let error as SQLiteError where error.isCutOff {
      throw .failed(
        path: path,
        reason: "holds a change that was cut off; start docket serve on it, or open it with docket sql, which undoes it"
      )
    } catch let error as SQLiteError where error.code == SQLITE_FULL {
      throw .diskFull(path: path)
    } catch {
      do {
        return try OpeningError.translating(path: path) { throw error }
      } catch {
        throw .opening(error)
      }
    }
  }
}

extension SQLiteError {
  /// Whether a journal holds what a change that was cut off has to be undone by, which takes a connection that may write
  /// (SQLITE_READONLY_ROLLBACK, a macro that Swift does not import).
  fileprivate var isCutOff: Bool { extendedCode == SQLITE_READONLY | (3 << 8) }
}
