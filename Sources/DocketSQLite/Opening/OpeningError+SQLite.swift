import CSQLite

extension OpeningError {
  /// Runs a step of the opening and says in the terms of opening what SQLite said.
  static func translating<Value>(path: String, _ step: () throws -> Value) throws(OpeningError) -> Value {
    do {
      return try step()
    } catch let error as OpeningError {
      throw error
    } catch let error as SQLiteError {
      throw OpeningError(error, path: path)
    } catch {
      throw .failed(path: path, reason: "\(error)")
    }
  }

  /// SQLITE_IOERR_SHMSIZE, a macro that Swift does not import.
  private static let noRoomForIndexOfLog = SQLITE_IOERR | (19 << 8)

  private init(_ error: SQLiteError, path: String) {
    self =
      switch error.code {
      case SQLITE_FULL: .noRoom(path: path)
      case SQLITE_IOERR where error.extendedCode == Self.noRoomForIndexOfLog: .noRoom(path: path)
      case SQLITE_NOTADB: .notADatabase(path: path)
      case SQLITE_CORRUPT: .damaged(path: path, reason: error.message)
      case SQLITE_BUSY, SQLITE_LOCKED: .busy(path: path)
      case SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH:
        .notAccessible(path: path, reason: error.message)
      default: .failed(path: path, reason: error.message)
      }
  }
}
