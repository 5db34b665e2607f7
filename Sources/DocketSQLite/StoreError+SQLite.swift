import CSQLite
import DocketStore

extension StoreError {
  /// What a failed read means to the one who asked.
  init(reading error: SQLiteError) {
    switch error.code {
    case SQLITE_INTERRUPT: self = .deadlineExceeded
    case SQLITE_BUSY: self = .busy(waitedMilliseconds: Int64(ConnectionSetup.readBusyTimeoutMilliseconds))
    default: self = .failed(reason: error.description)
    }
  }
}
