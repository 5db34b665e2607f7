import ArgumentParser
import DocketSQLite

/// Which file is served, and what is promised of it.
struct StoreOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The database file; it is made if it does not exist.", valueName: "path"))
  var database = "docket.db"

  @Option(help: "What an acknowledged write survives: full (loss of power) or normal (the death of the process).")
  var durability = SQLiteStoreOptions.Durability.full

  @Option(help: "How many seconds a write waits for another process that holds the database's write lock.")
  var busyTimeout = 5.0

  @Option(help: "For how many days old versions are kept.")
  var historyDays = 7

  @Option(help: "How much of the file old versions may be, in percent.")
  var historyShare = 50

  @Option(help: "So many bytes of old versions are kept whatever their share.")
  var historyFloorBytes: Int64 = 8 << 20

  func validate() throws {
    guard !database.isEmpty else { throw ValidationError("--database is empty; name a file, such as docket.db") }
    guard busyTimeout >= 0, busyTimeout <= 3600 else {
      throw ValidationError("--busy-timeout must be from 0 to 3600 seconds")
    }
    guard (0...36_500).contains(historyDays) else { throw ValidationError("--history-days must be from 0 to 36500") }
    guard (0...100).contains(historyShare) else { throw ValidationError("--history-share must be from 0 to 100") }
    guard historyFloorBytes >= 0 else { throw ValidationError("--history-floor-bytes cannot be negative") }
  }
}

extension SQLiteStoreOptions.Durability: ExpressibleByArgument {}
