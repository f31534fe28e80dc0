/** The functions that an analyst's statement may call: those that compute on the rows and reach for nothing else. */

const AGGREGATES =
  'count sum avg min max any anyLast argMin argMax topK topKWeighted uniq uniqExact uniqCombined uniqHLL12 ' +
  'quantile quantiles quantileExact quantilesExact quantileExactWeighted quantilesExactWeighted quantileWeighted ' +
  'quantileTDigest quantilesTDigest quantileTDigestWeighted quantileTiming median medianExact stddevPop stddevSamp ' +
  'varPop varSamp covarPop covarSamp corr skewPop kurtPop groupArray groupUniqArray groupArraySorted sumMap ' +
  'simpleLinearRegression first_value last_value row_number rank dense_rank lag lead lagInFrame leadInFrame ' +
  'ntile windowFunnel sequenceCount sequenceMatch retention histogram avgWeighted deltaSum entropy';
const CONDITIONS =
  'if multiIf coalesce ifNull nullIf isNull isNotNull assumeNotNull greatest least and or not xor in notIn ' +
  'equals notEquals less greater lessOrEquals greaterOrEquals isNaN isFinite isInfinite transform';
const NUMBERS =
  'abs sign plus minus multiply divide intDiv intDivOrZero modulo pow power exp exp2 exp10 log ln log2 log10 sqrt ' +
  'cbrt floor ceil ceiling round trunc roundBankers bitAnd bitOr bitXor bitNot bitShiftLeft bitShiftRight bitCount ' +
  'bitHammingDistance bitTest sin cos tan asin acos atan atan2 pi e degrees radians widthBucket roundDown ' +
  'runningDifference runningAccumulate';
const TIMES =
  'now today yesterday toDateTime toDate toUnixTimestamp fromUnixTimestamp toStartOfInterval toStartOfYear ' +
  'toStartOfQuarter toStartOfMonth toStartOfWeek toStartOfDay toStartOfHour toStartOfFifteenMinutes ' +
  'toStartOfTenMinutes toStartOfFiveMinutes toStartOfMinute toStartOfSecond toYear toQuarter toMonth toDayOfMonth ' +
  'toDayOfWeek toDayOfYear toHour toMinute toSecond toYYYYMM toYYYYMMDD toMonday toTimeZone formatDateTime dateDiff ' +
  'date_diff dateAdd date_add dateSub date_sub addSeconds addMinutes addHours addDays addWeeks addMonths ' +
  'subtractSeconds subtractMinutes subtractHours subtractDays subtractWeeks subtractMonths toIntervalSecond ' +
  'toIntervalMinute toIntervalHour toIntervalDay timeSlot parseDateTimeBestEffort fromUnixTimestamp64Milli';
const TEXTS =
  'length lengthUTF8 lower upper lowerUTF8 upperUTF8 concat substring substr substringUTF8 position ' +
  'positionCaseInsensitive startsWith endsWith like notLike ilike notILike match extract replaceOne replaceAll ' +
  'splitByChar splitByString trim trimLeft trimRight trimBoth left right leftPad rightPad reverse empty notEmpty ' +
  'toString hex cityHash64 sipHash64 multiSearchAny countSubstrings';
const TYPES =
  'toInt8 toInt16 toInt32 toInt64 toUInt8 toUInt16 toUInt32 toUInt64 toFloat32 toFloat64 toInt64OrZero ' +
  'toFloat64OrZero toUInt64OrZero toDecimal64 toTypeName cast accurateCast toNullable';
const LISTS =
  'array tuple tupleElement map mapKeys mapValues arrayJoin arrayMap arrayFilter arraySum arrayAvg arrayMin ' +
  'arrayMax arraySort arrayReverseSort arraySlice arrayElement arrayCount arrayDistinct arrayEnumerate has ' +
  'hasAny indexOf arrayConcat arrayStringConcat arrayZip arrayDifference arrayCumSum';

const ALL = [AGGREGATES, CONDITIONS, NUMBERS, TIMES, TEXTS, TYPES, LISTS].join(' ').split(' ');
const KNOWN = new Set(ALL.map((name) => name.toLowerCase()));
const AGGREGATE_NAMES = new Set(AGGREGATES.split(' ').map((name) => name.toLowerCase()));
/** What ClickHouse lets stand behind an aggregate function's name. */
const COMBINATOR = /(?:if|distinct|ornull|ordefault|array)$/;

/** Whether a statement may call a function; case does not matter. */
export function isCallable(name: string): boolean {
  const lower = name.toLowerCase();
  return KNOWN.has(lower) || AGGREGATE_NAMES.has(lower.replace(COMBINATOR, ''));
}
