import ArgumentParser
import DocketClient

/// Of which moment a read is.
struct MomentOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "As it was at a revision, or at a time such as 2030-01-31T12:00:00Z.", valueName: "moment"))
  var asOf: PointInTime?
}

extension PointInTime: ExpressibleByArgument {
  public init?(argument: String) {
    self = Int64(argument).map { .revision($0) } ?? .time(argument)
  }
}
